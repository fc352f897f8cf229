package config

import (
	"strings"
	"testing"
)

// The keys of the contract; elements of lists are left out of the paths.
const contractKeys = `prediction mode timezone schedule lag_days deadline catch_up
		snapshot snapshot.url snapshot.partition snapshot.files snapshot.ready snapshot.id snapshot.contact snapshot.as_of
		snapshot.duplicates snapshot.order_by snapshot.verify
		score score.column score.column.name score.column.range score.model score.missing
		score.iterations score.one_hot score.one_hot.columns score.one_hot.separator score.features
		categories categories.name categories.from categories.top_share
		exclude exclude.url exclude.id eligible exclusive
		suppress suppress.url suppress.id suppress.contact suppress.max_age suppress.min_ratio suppress.where
		suppress.publication suppress.audience holdout holdout.share holdout.salt holdout.key
		audiences audiences.name audiences.where audiences.score audiences.limit audiences.expect audiences.expect.min audiences.expect.max
		audiences.empty audiences.files audiences.files.format audiences.files.formula audiences.files.columns
		audiences.files.gzip
		gates gates.rows gates.rows.min_ratio gates.rows.max_ratio gates.rejected gates.rejected.max_share
		gates.duplicates gates.duplicates.max_share gates.category_shift gates.category_shift.warn
		gates.category_shift.refuse gates.psi gates.psi.warn gates.psi.refuse gates.constant
		gates.psi.baseline
		gates.constant.max_share gates.features gates.features.null_shift gates.features.unseen_share
		publish publish.url publish.compression publish.scores publish.passthrough publish.keep_days
		deliveries deliveries.name deliveries.to deliveries.destination deliveries.audiences deliveries.columns deliveries.send
		deliveries.send_absent deliveries.full_every deliveries.window deliveries.max_age deliveries.cadence
		deliveries.cadence.days deliveries.cadence.cooldown deliveries.cadence.on_exit deliveries.formula deliveries.keep_days
		notify notify.webhook notify.on notify.heartbeat`

func TestTableKnowsTheContract(t *testing.T) {
	known := map[string]bool{}
	collect("", table, known)
	for _, path := range strings.Fields(contractKeys) {
		if !known[path] {
			t.Errorf("%s: not known", path)
		}
		delete(known, path)
	}
	for path := range known {
		t.Errorf("%s: not in the contract", path)
	}
}

// collect gathers the paths of the keys below a kind.
func collect(path string, k kind, known map[string]bool) {
	switch k := k.(type) {
	case listKind:
		collect(path, k.of, known)
	case mapKind:
		for _, key := range k.keys {
			at := under(path, key.name)
			known[at] = true
			collect(at, key.kind, known)
		}
	}
}
