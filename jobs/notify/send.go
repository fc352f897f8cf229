package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	patience    = 5 * time.Second // for one answer
	tries       = 3
	firstPause  = 300 * time.Millisecond
	answerLimit = 64 << 10 // bytes of an answer that are read, so that its connection ends well
)

// client follows nothing: what is sent is for one address.
var client = &http.Client{
	Timeout:       patience,
	Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSHandshakeTimeout: patience, MaxResponseHeaderBytes: answerLimit},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// post sends a text as the incoming webhooks of Slack take it, and many others do.
func post(ctx context.Context, address, text string) error {
	body, err := json.Marshal(map[string]string{"text": text})
	if err != nil {
		return err
	}
	return send(ctx, http.MethodPost, address, body)
}

func get(ctx context.Context, address string) error { return send(ctx, http.MethodGet, address, nil) }

// send makes one request, and again where that may help. No error holds the address.
func send(ctx context.Context, method, address string, body []byte) error {
	once := func() (struct{}, error) { return struct{}{}, sendOnce(ctx, method, address, body) }
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval = firstPause
	_, err := backoff.Retry(ctx, once, backoff.WithBackOff(pauses), backoff.WithMaxTries(tries))
	var last *backoff.PermanentError
	if errors.As(err, &last) {
		err = last.Err
	}
	return err
}

func sendOnce(ctx context.Context, method, address string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return backoff.Permanent(errors.New("its URL cannot be used"))
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("User-Agent", "churntier")
	answer, err := client.Do(request)
	if err != nil {
		return plainly(err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, answerLimit) // what it says does not matter
	switch code := answer.StatusCode; {
	case code/100 == 2:
		return nil
	case code/100 == 5 || code == http.StatusTooManyRequests:
		return fmt.Errorf("it answered %d", code)
	default:
		return backoff.Permanent(fmt.Errorf("it answered %d", code))
	}
}

// plainly gives what went wrong with a request in words of its own: errors of package
// net name hosts and URLs.
func plainly(err error) error {
	var host *net.DNSError
	var certificate *tls.CertificateVerificationError
	var slow net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return backoff.Permanent(context.Canceled)
	case errors.As(err, &host):
		return errors.New("its host was not found")
	case errors.As(err, &certificate):
		return errors.New("its certificate is not trusted")
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("its host refused the connection")
	case errors.As(err, &slow) && slow.Timeout():
		return fmt.Errorf("no answer within %s", patience)
	}
	return errors.New("the connection failed")
}
