package config

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Values of Notify.On: what becomes of a night.
const (
	OnRefused   = "refused"   // by a gate or by the content of its inputs
	OnFailed    = "failed"    // or not delivered
	OnLate      = "late"      // its snapshot is not ready at the deadline
	OnRecovered = "recovered" // published after one of these
)

var allNotices = []string{OnRefused, OnFailed, OnLate, OnRecovered}

// Notify says who is told about nights. Its URLs are secrets: whoever knows one can
// speak in the name of the prediction.
type Notify struct {
	Webhook   string   // where messages are posted; "" = nobody is told
	On        []string // of what; all of it without the key
	Heartbeat string   // asked for after every night, and with /fail at the end of its path after one that failed; "" = none
}

var notifyKind = mapKind{
	keys: []key{
		{name: "webhook", kind: secretURLKind{}, doc: "URL to which one message an incident is posted, in Slack's form; may hold ${NAME}."},
		{name: "on", kind: listKind{of: oneOf(allNotices...), min: 1, rules: []rule{eachOnce}}, doc: "What the webhook is told; by default refused, failed, late and recovered."},
		{name: "heartbeat", kind: secretURLKind{}, doc: "URL to ask for after every night that ended well, and with /fail after one that did not, so that somebody notices a job that never starts; may hold ${NAME}."},
	},
	rules: []rule{{check: onNeedsWebhook}},
}

func onNeedsWebhook(r *reading, path string, n *node) {
	if on := n.get("on"); on != nil && n.get("webhook") == nil {
		r.add(on.at, under(path, "on"), "found on without a webhook", "notify.webhook beside it")
	}
}

func notifyOf(n *node) Notify {
	if n == nil {
		return Notify{}
	}
	c := Notify{Webhook: get[string](n, "webhook"), On: each(n.get("on"), textOf), Heartbeat: get[string](n, "heartbeat")}
	if c.On == nil {
		c.On = slices.Clone(allNotices)
	}
	return c
}

// secretURLKind is an https or http URL, or "" for none, that no fault repeats.
type secretURLKind struct{}

func (secretURLKind) want() string { return `an https:// or http:// URL, or "" for none` }

func (k secretURLKind) read(r *reading, path string, n *node) {
	if n.form != text {
		r.add(n.at, path, "found no text", k.want())
		return
	}
	address, err := expanded(r, n.raw)
	if err == nil && address != "" {
		err = checkWebURL(address)
	}
	if err != nil {
		r.addSecret(n.at, path, "found a URL that cannot be used: "+err.Error(), k.want())
		return
	}
	n.value = address
}

func (secretURLKind) schema() map[string]any {
	return map[string]any{"type": "string", "pattern": `^(https?://.|\$\{.|$)`}
}

func checkWebURL(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil, strings.ContainsFunc(address, unicode.IsControl):
		return errors.New("it is none")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("it begins with neither https:// nor http://")
	case u.Hostname() == "":
		return errors.New("its host is missing")
	}
	return nil
}

// secretValue matches what is written for a key that holds a secret, and what looks
// like one under a misspelt key.
var secretValue = regexp.MustCompile(`((?:webhook|heartbeat)["']?\s*[:=]\s*|https?://)\S+`)

// withoutSecrets gives a line or a flag as a fault may show it.
func withoutSecrets(line string) string { return secretValue.ReplaceAllString(line, "${1}***") }

// addSecret is add for a value that is a secret, of which nothing is quoted.
func (r *report) addSecret(at place, key, found, expected string) {
	r.add(at, key, found, expected)
	if f := &r.faults[len(r.faults)-1]; f.Key == key && f.Quote != "" && withoutSecrets(f.Quote) == f.Quote {
		f.Quote = "***"
	}
}
