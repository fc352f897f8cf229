package config

import (
	"cmp"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/churntier/churntier/pipeline/date"
)

// decode copies the values of a tree without faults. Keys that are not there
// give zero values.
func decode(n *node) *Config {
	snapshot := snapshotOf(n.get("snapshot"))
	return &Config{
		Prediction: get[string](n, "prediction"),
		Mode:       get[string](n, "mode"),
		Timezone:   get[*time.Location](n, "timezone"),
		Schedule:   get[cron.Schedule](n, "schedule"),
		LagDays:    get[int64](n, "lag_days"),
		Deadline:   optional[time.Duration](n, "deadline"),
		CatchUp:    get[int64](n, "catch_up"),
		Snapshot:   snapshot,
		Score:      scoreOf(n.get("score")),
		Categories: each(n.get("categories"), categoryOf),
		Exclude:    each(n.get("exclude"), excludeOf),
		Eligible:   get[string](n, "eligible"),
		Suppress:   each(n.get("suppress"), suppressOf(snapshot.ID)),
		Holdout:    holdoutOf(n.get("holdout"), snapshot.Contact),
		Exclusive:  each(n.get("exclusive"), textOf),
		Audiences:  each(n.get("audiences"), audienceOf),
		Gates:      gatesOf(n.get("gates")),
		Publish:    publishOf(n.get("publish")),
		Deliveries: each(n.get("deliveries"), deliveryOf),
		Notify:     notifyOf(n.get("notify")),
	}
}

// get gives the value under a key of n, or the zero value.
func get[T any](n *node, key string) T {
	v, _ := valueOf[T](n, key)
	return v
}

// optional gives the value under a key of n, or nil.
func optional[T any](n *node, key string) *T {
	if v, ok := valueOf[T](n, key); ok {
		return &v
	}
	return nil
}

// each applies of to the elements of a list; nil when there is no list.
func each[T any](n *node, of func(*node) T) []T {
	if n == nil {
		return nil
	}
	out := make([]T, len(n.items))
	for i, item := range n.items {
		out[i] = of(item)
	}
	return out
}

func textOf(n *node) string { return n.value.(string) }

func snapshotOf(n *node) Snapshot {
	return Snapshot{
		URL:        get[string](n, "url"),
		Partition:  get[string](n, "partition"),
		Files:      get[string](n, "files"),
		Ready:      get[string](n, "ready"),
		ID:         get[string](n, "id"),
		Contact:    get[string](n, "contact"),
		AsOf:       get[string](n, "as_of"),
		Duplicates: get[string](n, "duplicates"),
		OrderBy:    get[string](n, "order_by"),
		Verify:     get[string](n, "verify"),
	}
}

func scoreOf(n *node) Score {
	s := Score{
		Model:      get[string](n, "model"),
		Missing:    get[[]float64](n, "missing"),
		Iterations: get[int](n, "iterations"),
		Features:   get[map[string]string](n, "features"),
	}
	if oneHot := n.get("one_hot"); oneHot != nil {
		s.OneHot = OneHot{each(oneHot.get("columns"), textOf), get[string](oneHot, "separator")}
	}
	if column := n.get("column"); column != nil {
		ends := get[[2]float64](column, "range")
		s.Column = &ScoreColumn{Name: get[string](column, "name"), Low: ends[0], High: ends[1]}
	}
	return s
}

func categoryOf(n *node) Category {
	return Category{
		Name:     get[string](n, "name"),
		From:     optional[float64](n, "from"),
		TopShare: optional[float64](n, "top_share"),
	}
}

func excludeOf(n *node) List {
	return List{URL: get[string](n, "url"), ID: get[string](n, "id")}
}

// suppressOf reads entries, where id is the name of a publication's ids by default.
func suppressOf(id string) func(*node) Suppress {
	return func(n *node) Suppress {
		s := Suppress{
			URL:         get[string](n, "url"),
			ID:          get[string](n, "id"),
			Contact:     get[string](n, "contact"),
			MaxAge:      get[time.Duration](n, "max_age"),
			MinRatio:    get[float64](n, "min_ratio"),
			Where:       get[string](n, "where"),
			Publication: get[string](n, "publication"),
			Audience:    get[string](n, "audience"),
		}
		if s.Publication != "" && s.ID == "" {
			s.ID = id
		}
		return s
	}
}

// holdoutOf is nil without a holdout, and by contact where the snapshot has one.
func holdoutOf(n *node, contact string) *Holdout {
	if n == nil {
		return nil
	}
	key := HoldoutByID
	if contact != "" {
		key = HoldoutByContact
	}
	return &Holdout{Share: get[float64](n, "share"), Salt: get[string](n, "salt"), Key: cmp.Or(get[string](n, "key"), key)}
}

func audienceOf(n *node) Audience {
	a := Audience{
		Name:  get[string](n, "name"),
		Where: get[string](n, "where"),
		Score: optional[[2]float64](n, "score"),
		Limit: get[int64](n, "limit"),
		Empty: get[string](n, "empty"),
		Files: each(n.get("files"), fileOf),
	}
	if expect := n.get("expect"); expect != nil {
		a.Expect = &Expect{Min: optional[int64](expect, "min"), Max: optional[int64](expect, "max")}
	}
	return a
}

func fileOf(n *node) File {
	return File{
		Format:  get[string](n, "format"),
		Columns: get[[]OutColumn](n, "columns"),
		Formula: get[string](n, "formula"),
		Gzip:    get[bool](n, "gzip"),
	}
}

func gatesOf(n *node) Gates {
	rows, features := n.get("rows"), n.get("features")
	return Gates{
		Rows:          RatioGate{MinRatio: get[float64](rows, "min_ratio"), MaxRatio: get[float64](rows, "max_ratio")},
		Rejected:      shareOf(n.get("rejected")),
		Duplicates:    shareOf(n.get("duplicates")),
		CategoryShift: levelOf(n.get("category_shift")),
		PSI:           PSIGate{levelOf(n.get("psi")), get[date.Date](n.get("psi"), "baseline")},
		Constant:      shareOf(n.get("constant")),
		Features:      FeaturesGate{NullShift: get[float64](features, "null_shift"), UnseenShare: get[float64](features, "unseen_share")},
	}
}

func shareOf(n *node) ShareGate { return ShareGate{MaxShare: get[float64](n, "max_share")} }

func levelOf(n *node) LevelGate {
	return LevelGate{Warn: get[float64](n, "warn"), Refuse: get[float64](n, "refuse")}
}

func publishOf(n *node) Publish {
	return Publish{
		URL:         get[string](n, "url"),
		Compression: get[string](n, "compression"),
		Scores:      get[bool](n, "scores"),
		Passthrough: each(n.get("passthrough"), textOf),
		KeepDays:    get[int64](n, "keep_days"),
	}
}
