package rejected_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/queue/rejected"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
)

func TestAFullDiskCostsNothingButWhatCannotBeKept(t *testing.T) {
	var d told
	disk := e2e.SmallDisk(t, 128)
	s, err := rejected.Open(d.options(filepath.Join(disk, "rejected")), rejected.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	run := func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Run(ctx)
	}
	s.Add("zeromq", rejection("a", "kept"))
	run()
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 100<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	large := strings.Repeat("x", 60<<10)
	for range 5 {
		s.Add("zeromq", rejection("a", large))
	}
	run()
	if len(d.errs) != 1 || !errors.Is(d.errs[0], syscall.ENOSPC) || !strings.Contains(d.errs[0].Error(), "no space left on device") {
		t.Fatalf("told %v", d.errs)
	}
	if st := s.Stats(); st.Rejected != 6 || st.Failed != 5 || st.Held != 1 {
		t.Errorf("counted %+v", st)
	}
	if files, _ := os.ReadDir(filepath.Join(disk, "rejected")); len(files) != 1 {
		t.Errorf("left on the disk: %v", files)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	s.Add("zeromq", rejection("a", "there is room again"))
	run()
	if got := bodies(t, s); len(got) != 2 || got[0] != "there is room again" || len(d.errs) != 2 || d.errs[1] != nil {
		t.Errorf("after that: kept %d, told %v", len(got), d.errs)
	}
}

func TestOnlyTheOwnerCanReadIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "rejected")
	s, run := open(t, rejected.Options{Dir: dir}, rejected.Limits{})
	s.Add("zeromq", rejection("a", "secret"))
	run()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700 | os.ModeDir, filepath.Join(dir, files[0].Name()): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, want %v (%v)", path, info.Mode(), want, err)
		}
	}
}
