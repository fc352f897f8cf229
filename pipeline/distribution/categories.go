package distribution

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Category is a name for the scores in [From, To), and for Top too when it is the
// highest category that holds any score. In JSON both ends are in points.
type Category struct {
	Name  string
	From  uint16 // hundredths; above Top when no score is high enough
	To    uint16 // hundredths; From of the category above, or Top
	Count int64  // users, where they were counted
}

// Categories are the categories of one night, highest first. Every score is in
// one: the first whose From it reaches.
type Categories []Category

// Cut turns rules into categories. With shares counts must be there; then, and
// whenever counts is not nil, the users of each category are counted.
//
// A share's cut is the lowest score such that the users at or above it are at
// most that share of all; users with the same score are never parted. So a
// category can be empty, which [Categories.Empty] tells.
func Cut(rules []Rule, counts *Counts) (Categories, error) {
	if err := CheckRules(rules); err != nil {
		return nil, err
	}
	if counts == nil && NeedsCounts(rules) {
		return nil, errors.New("cut by top_share: want the counts of the scores")
	}
	categories, to := make(Categories, len(rules)), Top
	for i, r := range rules {
		from, _ := hundredths(r.From)
		if r.TopShare > 0 {
			from = shareCut(r.TopShare, counts)
		}
		categories[i] = Category{Name: r.Name, From: from, To: to}
		to = min(from, Top)
	}
	if counts != nil {
		categories = categories.CountIn(counts)
	}
	return categories, nil
}

// shareCut gives the lowest score whose users at or above it are at most the
// share of all; one above Top when there is none, or no user at all.
func shareCut(share float64, counts *Counts) uint16 {
	total := counts.Total()
	if total == 0 {
		return Scores
	}
	limit := floor(portion(share, total))
	cut := uint16(Scores)
	for above := counts[cut-1]; above <= limit; above += counts[cut-1] {
		cut--
	}
	return cut
}

// Of gives the place of a score's category, from 0 for the highest.
func (c Categories) Of(h uint16) uint8 {
	place := 0
	for place < len(c)-1 && h < c[place].From {
		place++
	}
	return uint8(place)
}

// Cuts gives the lowest score of each category, highest first.
func (c Categories) Cuts() []uint16 {
	cuts := make([]uint16, len(c))
	for i := range c {
		cuts[i] = c[i].From
	}
	return cuts
}

// CountIn gives the same categories with the users of another distribution.
func (c Categories) CountIn(counts *Counts) Categories {
	counted, to := make(Categories, len(c)), uint16(Scores)
	for i, category := range c {
		category.Count = counts.between(category.From, to)
		counted[i] = category
		to = min(to, category.From)
	}
	return counted
}

// Empty names the categories without users.
func (c Categories) Empty() []string {
	var names []string
	for _, category := range c {
		if category.Count == 0 {
			names = append(names, category.Name)
		}
	}
	return names
}

// categoryJSON is a category as it stands in manifests, its ends in points.
type categoryJSON struct {
	Name  string  `json:"name"`
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Count int64   `json:"count"`
}

// MarshalJSON writes {"name", "from", "to", "count"}, such as from 74.99.
func (c Category) MarshalJSON() ([]byte, error) {
	return json.Marshal(categoryJSON{c.Name, float64(c.From) / 100, float64(c.To) / 100, c.Count})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Category) UnmarshalJSON(data []byte) error {
	var read categoryJSON
	if err := json.Unmarshal(data, &read); err != nil {
		return fmt.Errorf("category: %w", err)
	}
	from, fromOK := hundredths(read.From)
	to, toOK := hundredths(read.To)
	if read.From == float64(Scores)/100 {
		from, fromOK = Scores, true
	}
	if !fromOK || !toOK || read.Count < 0 {
		return fmt.Errorf("category %.70q: from %v to %v with %d users, want points from 0 to 100 in steps of 0.01",
			read.Name, read.From, read.To, read.Count)
	}
	*c = Category{read.Name, from, to, read.Count}
	return nil
}
