package main

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/churntier/churntier/pipeline/objstore"
)

// object is one object of a store: the numbers of its key and its content. The
// content is its generation as well, which is the least that a driver promises:
// another content under the same key has another one.
type object struct{ key, content int32 }

// operation is what a process asks of the store.
type operation int8

const (
	list   operation = iota
	open             // one object, of one generation
	look             // all objects of the asking run at once
	write            // an upload that is committed
	remove           // one object
)

func (o operation) String() string {
	return [...]string{"list", "open", "read own run", "write", "delete"}[o]
}

// request is one operation with all that its answer depends on beside the store.
type request struct {
	op      operation
	key     string // or the prefix of a list
	cond    objstore.Condition
	content int32 // to be written, or the generation to be read; 0 for none
	folders bool
}

func (r request) String() string { return r.op.String() + " " + r.key }

func (r request) writes() bool { return r.op == write || r.op == remove }

// failure is how an operation ended.
type failure int8

const (
	none failure = iota
	notExist
	precondition
	changed
	denied
	broken // an error of no kind: the reply was lost, or nothing happened
)

// answer is what a process hears. Equal answers have one number.
type answer struct {
	failure failure
	objects []object // in byte order of keys; what was listed, read or written
}

// effect is what a request does to a store.
type effect struct {
	store  int32
	answer int32
	fault  string // the invariant that the step itself breaks, or ""
}

type application struct{ store, request int32 }

// stores numbers all keys, contents, stores, requests and answers that were ever
// seen, so that equal ones are one. Number 0 of contents is none, of stores the
// empty one, of requests none.
type stores struct {
	keys     numbers[string]
	contents numbers[string]
	requests numbers[request]
	answers  numbers[string]
	all      numbers[string] // stores, by their objects in order of key number
	effects  map[application]effect
	facts    []*facts // by store
	letters  map[string]*program
	late     bool // whether requests may land late

	manifests map[int32]manifest // by content
	digests   map[int32]string
}

func newStores() *stores {
	s := &stores{effects: map[application]effect{}, letters: map[string]*program{}, manifests: map[int32]manifest{}, digests: map[int32]string{}}
	s.contents.of("\x00none")
	s.requests.of(request{})
	s.all.of("")
	return s
}

// numbers gives equal values one number, from 0.
type numbers[T comparable] struct {
	byValue map[T]int32
	values  []T
}

func (n *numbers[T]) of(v T) int32 {
	if i, ok := n.byValue[v]; ok {
		return i
	}
	if n.byValue == nil {
		n.byValue = map[T]int32{}
	}
	i := int32(len(n.values))
	n.byValue[v] = i
	n.values = append(n.values, v)
	return i
}

func encodeObjects(objects []object) string {
	b := make([]byte, 0, 8*len(objects))
	for _, o := range objects {
		b = binary.LittleEndian.AppendUint32(b, uint32(o.key))
		b = binary.LittleEndian.AppendUint32(b, uint32(o.content))
	}
	return string(b)
}

func decodeObjects(s string) []object {
	objects := make([]object, 0, len(s)/8)
	for b := []byte(s); len(b) > 0; b = b[8:] {
		objects = append(objects, object{int32(binary.LittleEndian.Uint32(b)), int32(binary.LittleEndian.Uint32(b[4:]))})
	}
	return objects
}

// answerOf gives the number of an answer.
func (s *stores) answerOf(f failure, objects ...object) int32 {
	return s.answers.of(string(rune(f)) + encodeObjects(objects))
}

func (s *stores) answer(n int32) answer {
	text := s.answers.values[n]
	return answer{failure(text[0]), decodeObjects(text[1:])}
}

// apply does a request to a store, both given by number.
func (s *stores) apply(store, number int32) effect {
	at := application{store, number}
	if e, ok := s.effects[at]; ok {
		return e
	}
	r := s.requests.values[number]
	e := effect{store: store}
	objects := decodeObjects(s.all.values[store])
	switch r.op {
	case write, remove:
		e = s.change(store, objects, r)
	case open:
		e.answer = s.opened(objects, r)
	case list:
		e.answer = s.answerOf(none, s.listed(objects, r.key, r.folders)...)
	case look:
		e.answer = s.answerOf(none, s.listed(objects, r.key, false)...)
	}
	s.effects[at] = e
	return e
}

func (s *stores) opened(objects []object, r request) int32 {
	i := s.find(objects, r.key)
	switch {
	case r.content != 0 && (i < 0 || objects[i].content != r.content):
		return s.answerOf(changed)
	case i < 0:
		return s.answerOf(notExist)
	}
	return s.answerOf(none, objects[i])
}

// listed gives what a driver lists; folders have content 0.
func (s *stores) listed(objects []object, prefix string, folders bool) []object {
	var found []object
	for _, o := range objects {
		key := s.keys.values[o.key]
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		if slash := strings.IndexByte(rest, '/'); folders && slash >= 0 {
			o = object{key: s.keys.of(key[:len(prefix)+slash+1])}
		}
		found = append(found, o)
	}
	slices.SortFunc(found, func(a, b object) int { return strings.Compare(s.keys.values[a.key], s.keys.values[b.key]) })
	return slices.Compact(found)
}

func (s *stores) find(objects []object, key string) int {
	return slices.IndexFunc(objects, func(o object) bool { return s.keys.values[o.key] == key })
}

// change writes or removes one object, if the condition of the request holds.
func (s *stores) change(store int32, objects []object, r request) effect {
	i, now := s.find(objects, r.key), ""
	if i >= 0 {
		now = generation(objects[i].content)
	}
	switch {
	case r.op == remove && i < 0:
		return effect{store: store, answer: s.answerOf(notExist)}
	case !r.cond.Holds(now):
		return effect{store: store, answer: s.answerOf(precondition)}
	}
	if i >= 0 {
		objects = slices.Delete(objects, i, i+1)
	}
	e := effect{answer: s.answerOf(none)}
	if r.op == write {
		o := object{s.keys.of(r.key), r.content}
		at, _ := slices.BinarySearchFunc(objects, o.key, func(o object, key int32) int { return int(o.key - key) })
		objects = slices.Insert(objects, at, o)
		e.answer = s.answerOf(none, o)
	}
	e.store = s.all.of(encodeObjects(objects))
	e.fault = s.checkStep(store, e.store, r)
	return e
}
