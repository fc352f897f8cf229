package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const deliveryConfig = `prediction: churn-test
timezone: %s
snapshot:
  url: snapshots
  id: user_id
score:
  column: {name: churn_score, range: [0, 100]}
publish:
  url: out
deliveries:
  - {name: mailer, to: inbox, destination: csv, audiences: [high]}
`

// deliveryPlace has one tool, which gets all members of an audience, and is where it
// is two in the afternoon: yesterday ended 14 hours ago, and the day before that more
// than max_age. It tells how to name a date by its distance from today.
func deliveryPlace(t *testing.T) (p *place, ago func(days int) string) {
	t.Helper()
	p = newPlace(t)
	now := time.Now().UTC()
	east := 14 - now.Hour()
	p.write("churntier.yaml", fmt.Sprintf(deliveryConfig, fmt.Sprintf("Etc/GMT%+d", -east)))
	if err := os.Mkdir(p.path("inbox"), 0o700); err != nil {
		t.Fatal(err)
	}
	today := now.Add(time.Duration(east) * time.Hour)
	return p, func(days int) string { return today.AddDate(0, 0, -days).Format(time.DateOnly) }
}

// inbox lists what the tool has.
func (p *place) inbox() []string {
	p.t.Helper()
	var names []string
	for _, name := range p.glob("inbox/*/*") {
		names = append(names, filepath.Base(name))
	}
	return names
}

func (p *place) expectInbox(want ...string) {
	p.t.Helper()
	if got := p.inbox(); fmt.Sprint(got) != fmt.Sprint(want) {
		p.t.Errorf("the tool has %q, expected %q", got, want)
	}
}

// deliveries gives the lines about deliveries that a command printed.
func (r result) deliveries() []string {
	var lines []string
	for line := range strings.Lines(r.stdout) {
		if strings.HasPrefix(line, "delivery ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func (r result) expectDelivery(t *testing.T, want ...string) {
	t.Helper()
	r.expect(t, exitDone)
	got := r.deliveries()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("printed %q, expected %q", got, want)
			return
		}
	}
}

// After an outage of five days every night is published, and one is delivered.
func TestOutageOfFiveDays(t *testing.T) {
	p, ago := deliveryPlace(t)
	for days := 5; days >= 1; days-- {
		p.ordinary(ago(days), 300+days)
	}
	for days := 5; days >= 2; days-- {
		p.night("--date", ago(days)).expectDelivery(t, "delivery mailer: nothing: "+ago(days)+" ended ")
	}
	p.expectInbox()
	p.night("--date", ago(1)).expectDelivery(t, "delivery mailer: delivered: "+ago(1)+" is to be delivered")
	p.expectInbox("high_" + ago(1) + "_0_0.csv")
	if published := p.glob("out/commits/*/*"); len(published) != 5 {
		t.Errorf("published are %q", published)
	}
}

// Sixty older nights that are published after the newest one are not delivered, nor
// is anything by a run that is told not to.
func TestBackfillOfSixtyNights(t *testing.T) {
	p, ago := deliveryPlace(t)
	p.ordinary(ago(1), 300)
	p.night("--no-deliver").expectDelivery(t)
	p.expectInbox()
	p.operate("deliver").expectDelivery(t, "delivery mailer: delivered: "+ago(1)+" is to be delivered")
	for days := 2; days <= 61; days++ {
		p.ordinary(ago(days), 300+days%2)
		if days%2 == 0 {
			p.night("--date", ago(days), "--no-deliver").expectDelivery(t)
			continue
		}
		p.night("--date", ago(days)).expectDelivery(t, "delivery mailer: nothing: "+ago(1)+" was delivered as number 0")
	}
	p.expectInbox("high_" + ago(1) + "_0_0.csv")
	if published := p.glob("out/commits/*/*"); len(published) != 61 {
		t.Errorf("%d nights are published", len(published))
	}
}

// A tool that deletes what it has imported gets nothing again, however often a run or
// a delivery is started.
func TestRerunAfterTheToolDeletedItsFile(t *testing.T) {
	p, ago := deliveryPlace(t)
	p.ordinary(ago(1), 300)
	p.night().expectDelivery(t, "delivery mailer: delivered")
	if err := os.Remove(p.path("inbox/high/high_" + ago(1) + "_0_0.csv")); err != nil {
		t.Fatal(err)
	}
	nothing := "delivery mailer: nothing: " + ago(1) + " was delivered as number 0"
	p.night().expectDelivery(t, nothing)
	p.operate("deliver").expectDelivery(t, nothing)
	p.expectInbox()
}

// A night that is replaced sends those whom the tool has not had, and one that is
// withdrawn nobody; in neither case all members again.
func TestReplacedAndWithdrawnNight(t *testing.T) {
	p, ago := deliveryPlace(t)
	p.ordinary(ago(1), 300) // 77 of them high
	r := p.night()
	r.expectDelivery(t, "delivery mailer: delivered")
	r.expect(t, exitDone, "number 0, full, "+ago(1)+": 77 members = 0 before + 77 entered - 0 left; 0 moved",
		"delivered high/high_"+ago(1)+"_0_0.csv: 77 rows")
	p.ordinary(ago(1), 308) // 1 more
	p.night().expect(t, exitDone, "--force replaces it", "delivery mailer: nothing")
	r = p.night("--force")
	r.expectDelivery(t, "delivery mailer: delivered: "+ago(1)+" was replaced since it was delivered as number 0")
	r.expect(t, exitDone, "number 1, correction", "78 members = 77 before + 1 entered - 0 left", "_1_0.csv: 1 rows")
	p.operate("withdraw", "--date", ago(1), "--reason", "complaint").expectDelivery(t)
	p.operate("deliver").expect(t, exitDone, "number 2, correction", "0 members = 78 before + 0 entered - 78 left")
	p.night("--force").expect(t, exitDone, "number 3, correction", "78 members = 0 before + 78 entered - 0 left")
	p.expectInbox("high_"+ago(1)+"_0_0.csv", "high_"+ago(1)+"_1_0.csv")
	p.operate("show").expect(t, exitDone, "delivery mailer", "correction")
}

// What is sent once more is sent on purpose, and only of what is published now.
func TestRedeliverCommand(t *testing.T) {
	p, ago := deliveryPlace(t)
	p.ordinary(ago(1), 300)
	again := func(day string) result {
		return p.operate("redeliver", "mailer", "--date", day, "--reason", "lost by the tool")
	}
	again(ago(1)).expect(t, exitUsage, "it has delivered nothing")
	p.night().expectDelivery(t, "delivery mailer: delivered")
	again(ago(1)).expectDelivery(t, "delivery mailer: delivered: sent again: lost by the tool")
	p.expectInbox("high_"+ago(1)+"_0_0.csv", "high_"+ago(1)+"_1_0.csv")
	again(ago(2)).expect(t, exitUsage, "an older date is never sent")
	p.operate("redeliver", "nobody", "--date", ago(1), "--reason", "x").expect(t, exitUsage, `no delivery "nobody"`)
	p.operate("redeliver", "mailer", "--date", "yesterday", "--reason", "x").expect(t, exitUsage, "--date")
	p.operate("withdraw", "--date", ago(1), "--reason", "complaint").expect(t, exitDone)
	again(ago(1)).expect(t, exitUsage, "not what is published now")
	var out deliverJSON
	r := p.operate("deliver", "--json")
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil || out.Status != "delivered" || len(out.Deliveries) != 1 || out.Deliveries[0].Intent.N != 2 {
		t.Errorf("%v: %s", err, r.stdout)
	}
}

// The folder for temporary files belongs to others too.
func TestDeliveriesLeaveTheTemporaryFolderAlone(t *testing.T) {
	p, ago := deliveryPlace(t)
	p.ordinary(ago(1), 300)
	p.write("temp/of-others", "x")
	temp := p.path("temp")
	p.night("--temp", temp).expectDelivery(t, "delivery mailer: delivered")
	p.operate("deliver", "--temp", temp).expectDelivery(t, "delivery mailer: nothing")
	p.operate("redeliver", "mailer", "--date", ago(1), "--reason", "lost", "--temp", temp).expectDelivery(t, "delivery mailer: delivered")
	if left := p.glob("temp/*"); len(left) != 1 || left[0] != p.path("temp/of-others") {
		t.Errorf("left are %q", left)
	}
}
