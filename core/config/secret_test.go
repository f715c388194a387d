package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/config"
)

type holder struct {
	Token config.Secret `yaml:"token" json:"token"`
}

func TestASecretIsNeverPrinted(t *testing.T) {
	s := holder{config.NewSecret("hunter2")}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %#v %s %q %x %d\n", s, s, s, s.Token, s.Token, s.Token, s.Token)
	fmt.Fprintln(&out, s.Token.String(), s.Token.GoString(), &s)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "token", s.Token, "holder", s)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "token", s.Token, "holder", s)
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	if strings.Contains(out.String(), "hunter2") || strings.Contains(out.String(), "68756e746572") {
		t.Errorf("it is shown:\n%s", out.String())
	}
	if s.Token.Reveal() != "hunter2" {
		t.Error("it cannot be used")
	}
}

func write(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
}

func TestASecretComesFromTheFileTheEnvironmentAnotherFileOrTheKeyring(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "token"), "from file\n", 0o600)
	o := config.Options{LookupEnv: environment, Keyring: func(name string) (string, error) {
		if name == "ntfy" {
			return "from keyring", nil
		}
		return "", errors.New("locked")
	}}
	for text, want := range map[string]string{
		"token: literal":           "literal",
		"token: 12345":             "12345",
		"token: ${PRESENT}":        "present",
		"token: {env: PRESENT}":    "present",
		"token: {file: token}":     "from file",
		"token: {keyring: ntfy}":   "from keyring",
		"token: {keyring: other}":  "error: read \"other\" from the keyring: locked",
		"token: {env: EMPTY}":      "error: environment variable EMPTY is not set",
		"token: {file: .}":         "error: read secret",
		"token: {env: a, file: b}": "error: token must be",
	} {
		tree, ds := config.Parse(filepath.Join(dir, "config.yaml"), []byte(text), o)
		var h holder
		ds = append(ds, config.Decode(tree.Root, "holder", &h)...)
		got := h.Token.Reveal()
		if err := ds.Err(); err != nil {
			got = "error: " + strings.TrimPrefix(ds[0].Message, "token: ")
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestALiteralSecretInAFileThatOthersCanReadIsWarnedAbout(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such permission bits")
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	for _, c := range []struct {
		mode     fs.FileMode
		text     string
		warnings int
	}{
		{0o600, "token: hunter2", 0},
		{0o644, "token: hunter2", 1},
		{0o640, "token: hunter2", 1},
		{0o644, "token: {env: PRESENT}", 0},
		{0o644, "token: ${PRESENT}", 0},
	} {
		write(t, path, c.text, c.mode)
		tree, ds, err := config.Load(path, config.Options{LookupEnv: environment})
		if err != nil {
			t.Fatal(err)
		}
		ds = append(ds, config.Decode(tree.Root, "holder", &holder{})...)
		var out bytes.Buffer
		if err := tree.Fprint(&out, ds, true); err != nil {
			t.Fatal(err)
		}
		if len(ds) != c.warnings || ds.HasErrors() || strings.Contains(out.String(), "hunter2") {
			t.Errorf("%v %s: %d diagnostics, want %d:\n%s", c.mode, c.text, len(ds), c.warnings, out.String())
		}
	}
}

func TestAChangedSecretMakesADifference(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	tree := parse(t, "a: {token: {file: "+path+"}}")
	write(t, path, "one", 0o600)
	before := tree.Root.Canonical()
	write(t, path, "two", 0o600)
	if tree.Root.Canonical() == before {
		t.Error("the tree is canonically the same although the secret changed")
	}
}

func TestLoadTellsAMissingFileFromOneThatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := config.Load(filepath.Join(dir, "none.yaml"), config.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	if _, _, err := config.Load(dir, config.Options{}); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("got %v, want fs.ErrInvalid", err)
	}
	big := filepath.Join(dir, "big.yaml")
	write(t, big, "# "+strings.Repeat("x", config.MaxSize), 0o600)
	if _, ds, err := config.Load(big, config.Options{}); err != nil || ds.Err() == nil || !strings.Contains(ds.Error(), "larger than 256 KiB") {
		t.Errorf("got %v, %v", ds, err)
	}
}
