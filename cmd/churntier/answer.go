package main

import (
	"encoding/json"
	"errors"
)

// errorJSON is the error of every --json.
type errorJSON struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// errorOf gives the status and the JSON form of an error.
func errorOf(err error) (status string, form *errorJSON) {
	f := classify(err)
	return f.status, &errorJSON{Kind: f.kind, Message: err.Error(), Hint: f.hint}
}

// answer prints one JSON object, whether the command succeeded or not, and gives
// the command's error.
func (t *terminal) answer(v any, err error) error {
	if failed := json.NewEncoder(t.stdout).Encode(v); failed != nil {
		return errors.Join(err, failed)
	}
	if err != nil {
		return &printedError{err}
	}
	return nil
}

// answerOrFail is answer for a command whose object is its result alone.
func (t *terminal) answerOrFail(v any, err error) error {
	if err == nil {
		return t.answer(v, nil)
	}
	err = t.interruption(err)
	status, form := errorOf(err)
	return t.answer(struct {
		Status string     `json:"status"`
		Error  *errorJSON `json:"error"`
	}{status, form}, err)
}
