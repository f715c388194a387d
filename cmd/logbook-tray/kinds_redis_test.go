//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
	brokers "github.com/logbook-tray/logbook-tray/packaging/services"
)

const readList = `
import json, sys, redis
r = redis.Redis(port=int(sys.argv[1]), decode_responses=True)
print(*[json.loads(text)["message"] for text in r.lrange("redis", 0, -1)])
`

func TestRecordsThatTheRedisHandlerGathersAreSentWhenItGoes(t *testing.T) {
	b := brokers.StartRedis(t)
	source := `handlers: [{type: redis, mode: list, flush_threshold: 100, flush_time: 1h, window: %d, uri: "redis://` + b.Addr() + `"}]`
	r := runKinds(t, fmt.Sprintf(source, 100))
	python := func() string {
		return e2e.Run(t, os.Environ(), nil, "/usr/bin/python3", "-c", readList, fmt.Sprint(b.Port))
	}
	r.log(t, core.LevelError, "a")
	r.log(t, core.LevelError, "b")
	tree, ds := config.Parse(filepath.Join(t.TempDir(), "config.yaml"), fmt.Appendf(nil, source, 200), config.Options{})
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	if _, err := r.Reload(tree); err != nil {
		t.Fatal(err)
	}
	r.log(t, core.LevelError, "c")
	if got := python(); got != "a b\n" {
		t.Errorf("after the reload python reads %q", got)
	}
	r.end(t)
	if got := python(); got != "a b c\n" {
		t.Errorf("python reads %q", got)
	}
}
