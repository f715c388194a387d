package config_test

import (
	"bytes"
	"encoding"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core/config"
)

var update = flag.Bool("update", false, "write the golden files anew")

// colour is an enumeration that lists its values in its error.
type colour string

var _ encoding.TextUnmarshaler = (*colour)(nil)

func (c *colour) UnmarshalText(text []byte) error {
	switch s := colour(text); s {
	case "info", "warning", "error":
		*c = s
		return nil
	}
	return errors.New(`unknown level "` + string(text) + `" (one of info, warning, error)`)
}

// server has an option of every sort.
type server struct {
	Name      string            `yaml:"name,required"`
	Level     colour            `yaml:"level"`
	Timeout   time.Duration     `yaml:"timeout"`
	MaxSize   int64             `yaml:"max_size,size"`
	Size      config.Size       `yaml:"size"`
	Port      int               `yaml:"port"`
	Small     uint8             `yaml:"small"`
	Ratio     float64           `yaml:"ratio"`
	TLS       bool              `yaml:"tls"`
	Maybe     *bool             `yaml:"maybe"`
	Tags      []string          `yaml:"tags"`
	Labels    map[string]string `yaml:"labels"`
	Retry     retry             `yaml:"retry"`
	Files     []file            `yaml:"files"`
	Path      string            `yaml:"path,path"`
	Paths     []string          `yaml:"paths,path"`
	Token     config.Secret     `yaml:"token"`
	TokenFile string            `yaml:"token_file"`
	URI       string            `yaml:"uri"`
	Any       any               `yaml:"any"`
	Inner     *config.Node      `yaml:"inner"`
	embedded

	Ignored string
}

type embedded struct {
	Extra string `yaml:"extra"`
}

type retry struct {
	Times int           `yaml:"times"`
	Wait  time.Duration `yaml:"wait"`
}

type file struct {
	Path string `yaml:"path,path"`
}

func (s *server) Validate() error {
	var errs []error
	if !s.Token.IsZero() && s.TokenFile != "" {
		errs = append(errs, config.At("token_file", "at most one of token and token_file"))
	}
	if s.Port > 65535 {
		errs = append(errs, config.At("port", "%d is not a port", s.Port))
	}
	return errors.Join(errs...)
}

type sections struct {
	Server *config.Node `yaml:"server"`
	Other  *config.Node `yaml:"other"`
	Third  *config.Node `yaml:"third"`
	Fourth *config.Node `yaml:"fourth"`
}

func environment(name string) (string, bool) {
	value, ok := map[string]string{"PRESENT": "present", "PORT": "5556", "EMPTY": ""}[name]
	return value, ok
}

// decodeAll decodes a tree of sections with a server each.
func decodeAll(tree *config.Tree) config.Diagnostics {
	var s sections
	ds := config.Decode(tree.Root, "the configuration", &s)
	for _, n := range []*config.Node{s.Server, s.Other, s.Third, s.Fourth} {
		if n != nil {
			ds = append(ds, config.Decode(n, "server", &server{})...)
		}
	}
	return ds
}

func TestEveryMistakeIsShownWhereItIs(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			tree, ds := config.Parse(filepath.Base(path), src, config.Options{LookupEnv: environment, Dir: "/nowhere"})
			if !ds.HasErrors() {
				ds = append(ds, decodeAll(tree)...)
			}
			if !ds.HasErrors() {
				t.Error("no mistake was found")
			}
			var got bytes.Buffer
			if err := tree.Fprint(&got, ds, false); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(got.String(), "hunter2") {
				t.Error("a secret is shown")
			}
			golden := strings.TrimSuffix(path, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
