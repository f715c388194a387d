package e2e

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Display is an X server that draws into memory, 1280 by 800 pixels.
type Display struct {
	// Name is the value of DISPLAY for those who use it.
	Name string
}

// StartDisplay starts an X server, without a window manager.
func StartDisplay(t testing.TB) *Display {
	t.Helper()
	_, number := startAnnounced(t, os.Environ(), "Xvfb",
		"-displayfd", "3", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "+extension", "GLX", "-noreset")
	return &Display{Name: ":" + number}
}

// Env returns the environment for a program that shows itself on this display, such as
// xdotool.
func (d *Display) Env() []string { return append(os.Environ(), "LC_ALL=C.UTF-8", "DISPLAY="+d.Name) }

// StartWindowManager starts a window manager, so that windows have frames and can be
// closed and raised.
func (d *Display) StartWindowManager(t testing.TB) {
	t.Helper()
	Start(t, d.Env(), "openbox", "--sm-disable")
	Eventually(t, "the window manager", func() bool {
		out, err := d.try(t, "xprop", "-root", "_NET_SUPPORTING_WM_CHECK")
		return err == nil && strings.Contains(out, "window id")
	})
}

// Windows returns the titles of the windows that the window manager shows.
func (d *Display) Windows(t testing.TB) []string {
	t.Helper()
	// Fails as long as no window was ever shown.
	out, _ := d.try(t, "wmctrl", "-l")
	var titles []string
	for line := range strings.Lines(out) {
		// 0x00c00003  0 host The title
		if fields := strings.SplitN(strings.Join(strings.Fields(line), " "), " ", 4); len(fields) == 4 {
			titles = append(titles, fields[3])
		}
	}
	return titles
}

// WaitForWindow waits for a window whose title contains title.
func (d *Display) WaitForWindow(t testing.TB, title string) {
	t.Helper()
	Eventually(t, "a window with the title "+title, func() bool {
		return strings.Contains(strings.Join(d.Windows(t), "\n"), title)
	})
}

// ActiveWindow returns the title of the window that has the keyboard, which is the one in
// front; "" if none has.
func (d *Display) ActiveWindow(t testing.TB) string {
	t.Helper()
	title, _ := d.try(t, "xdotool", "getactivewindow", "getwindowname") // fails if there is none
	return strings.TrimSpace(title)
}

// CloseWindow closes the window whose title contains title as a click on its close
// button does.
func (d *Display) CloseWindow(t testing.TB, title string) {
	t.Helper()
	d.Do(t, "wmctrl", "-c", title)
}

// Do runs a command on this display to its end and returns what it wrote:
//
//	d.Do(t, "xdotool", "type", "level:error")
func (d *Display) Do(t testing.TB, command string, args ...string) string {
	t.Helper()
	return Run(t, d.Env(), nil, command, args...)
}

// try is Do for a command that may fail.
func (d *Display) try(t testing.TB, command string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), find(t, command), args...)
	cmd.Env = d.Env()
	out, err := cmd.Output()
	return string(out), err
}

// Screenshot writes a picture of the whole screen to the artifacts of this test as
// name.png and returns its path. It waits until the picture has stopped changing, so
// that it does not show a window half drawn.
func (d *Display) Screenshot(t testing.TB, name string) string {
	t.Helper()
	path := Artifact(t, name+".png")
	var last string
	Eventually(t, "the screen to come to rest", func() bool {
		d.Do(t, "import", "-window", "root", path)
		picture, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		same := string(picture) == last
		last = string(picture)
		return same
	})
	return path
}

// Artifact returns the path of a file for people to look at after the test: name in
// the folder of this test under the git-ignored artifacts/ of the project. ARTIFACTS
// in the environment puts them elsewhere.
func Artifact(t testing.TB, name string) string {
	t.Helper()
	dir := cmp.Or(os.Getenv("ARTIFACTS"), filepath.Join(Root(t), "artifacts"))
	path := filepath.Join(dir, filepath.FromSlash(t.Name()), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// Root returns the top folder of the project.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("there is no go.mod above the working directory")
		}
		dir = parent
	}
}
