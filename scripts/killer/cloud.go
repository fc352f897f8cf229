//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
)

const bucket = "crm"

// cloud is an emulator of Google Cloud Storage in a process of its own.
type cloud struct {
	cmd *exec.Cmd
	url string
}

func (l *lab) startCloud() (*cloud, error) {
	c := &cloud{cmd: exec.Command(l.fakegcs, "--bucket", bucket)}
	stdout, err := c.cmd.StdoutPipe()
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		c.stop()
		return nil, err
	}
	c.url = strings.TrimSpace(line)
	return c, nil
}

func (c *cloud) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	_ = c.cmd.Wait()
}

// cloudPlace is a folder of the emulator's bucket. Between it and each process stands
// a proxy, which holds the process before and after each request.
type cloudPlace struct {
	cloud  *cloud
	folder string
}

func (p cloudPlace) url() string { return "gs://" + bucket + "/" + p.folder }

func (p cloudPlace) start(cmd *exec.Cmd, see func(operation) bool) (func(), error) {
	proxy := &proxy{place: p, see: see, sessions: map[string]string{}}
	server := httptest.NewServer(proxy)
	proxy.host = strings.TrimPrefix(server.URL, "http://")
	cmd.Env = append(os.Environ(), "STORAGE_EMULATOR_HOST="+proxy.host)
	if err := cmd.Start(); err != nil {
		server.Close()
		return nil, err
	}
	return func() {
		proxy.underWay.Wait()
		server.CloseClientConnections()
		server.Close()
	}, nil
}

// proxy passes the requests of one process on. A request that was passed on takes
// effect, even when the process has died meanwhile.
type proxy struct {
	place    cloudPlace
	host     string
	see      func(operation) bool
	underWay sync.WaitGroup

	mu       sync.Mutex
	sessions map[string]string // key by path of an upload session
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.underWay.Add(1)
	defer p.underWay.Done()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the process died while it sent
	}
	o := p.operation(r, body)
	if !p.see(o) {
		return
	}
	answer, err := p.pass(r, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	if location := answer.header.Get("Location"); location != "" {
		p.begin(location, o.key)
		answer.header.Set("Location", p.throughProxy(location))
	}
	if !p.see(o) {
		return
	}
	maps.Copy(w.Header(), answer.header)
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body) // a process that died takes no answer
}

// reply is a whole answer of the emulator.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// pass sends a request to the emulator and reads the whole answer.
func (p *proxy) pass(r *http.Request, body []byte) (reply, error) {
	request, err := http.NewRequest(r.Method, p.place.cloud.url+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Header = r.Header.Clone()
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, data}, err
}

func (p *proxy) begin(location, key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if u, err := url.Parse(location); err == nil {
		p.sessions[u.RequestURI()] = key
	}
}

func (p *proxy) throughProxy(location string) string {
	return strings.Replace(location, strings.TrimPrefix(p.place.cloud.url, "http://"), p.host, 1)
}

var objectName = regexp.MustCompile(`"name":\s*"([^"]+)"`)

// operation says what a request does.
func (p *proxy) operation(r *http.Request, body []byte) operation {
	o := operation{verb: strings.ToLower(r.Method), writes: r.Method != http.MethodGet}
	_, object, named := strings.Cut(r.URL.Path, "/o/")
	switch {
	case named:
		o.key = object
	case r.Method == http.MethodGet:
		o.verb, o.key = "list", r.URL.Query().Get("prefix")
	default:
		p.mu.Lock()
		o.key = p.sessions[r.URL.RequestURI()]
		p.mu.Unlock()
		if name := objectName.FindSubmatch(body); o.key == "" && name != nil {
			o.key = string(name[1])
		}
	}
	o.key = strings.Trim(strings.TrimPrefix(o.key, p.place.folder), "/")
	return o
}

// objects reads all that is there from the emulator itself.
func (p cloudPlace) objects() (map[string][]byte, error) {
	all := map[string][]byte{}
	prefix := p.folder + "/"
	for page := ""; ; {
		var list struct {
			Items         []struct{ Name string }
			NextPageToken string
		}
		query := url.Values{"prefix": {prefix}, "pageToken": {page}}
		data, err := p.cloud.get("/storage/v1/b/" + bucket + "/o?" + query.Encode())
		if err == nil {
			err = json.Unmarshal(data, &list)
		}
		if err != nil {
			return nil, err
		}
		for _, item := range list.Items {
			data, err := p.cloud.get("/storage/v1/b/" + bucket + "/o/" + url.PathEscape(item.Name) + "?alt=media")
			if err != nil {
				return nil, err
			}
			all[strings.TrimPrefix(item.Name, prefix)] = data
		}
		if page = list.NextPageToken; page == "" {
			return all, nil
		}
	}
}

func (c *cloud) get(path string) ([]byte, error) {
	response, err := http.Get(c.url + path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(response.Body)
	err = errors.Join(err, response.Body.Close())
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", path, response.Status, data)
	}
	return data, err
}
