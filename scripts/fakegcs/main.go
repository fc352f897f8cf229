// Command fakegcs is a stand-in for Google Cloud Storage in a process of its own,
// for tests: it prints its URL when it is ready, which clients take from
// STORAGE_EMULATOR_HOST, and ends on SIGTERM or SIGINT.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/fsouza/fake-gcs-server/fakestorage"
)

type command struct {
	Listen string   `default:"127.0.0.1:0" help:"Address to listen on; port 0 takes a free one."`
	Bucket []string `help:"Bucket to create; repeatable."`
	Dir    string   `type:"path" help:"Folder that keeps the objects; in memory without it."`
}

func main() {
	var c command
	ctx := kong.Parse(&c, kong.Name("fakegcs"), kong.Description("A stand-in for Google Cloud Storage, for tests."))
	ctx.FatalIfErrorf(c.run())
}

func (c command) run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	handler, err := c.storage(listener.Addr().String())
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	fmt.Printf("http://%s\n", listener.Addr())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return errors.Join(server.Close(), listenerClosed(<-failed))
	}
}

// storage gives the server's handler. It has to know the address by which
// clients reach it: upload sessions and plain reads are told by the host.
func (c command) storage(address string) (http.Handler, error) {
	fake, err := fakestorage.NewServerWithOptions(fakestorage.Options{
		NoListener:  true,
		Scheme:      "http",
		StorageRoot: c.Dir,
		PublicHost:  address,
		ExternalURL: "http://" + address,
	})
	if err != nil {
		return nil, err
	}
	for _, name := range c.Bucket {
		fake.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: name})
	}
	return fake.HTTPHandler(), nil
}

// listenerClosed takes the one error away that an orderly end gives.
func listenerClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
