package gui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// editors are the editors that are looked for, each with its way of naming a
// line. {file} and {line} stand for the place.
var editors = [][]string{
	{"code", "--goto", "{file}:{line}"},
	{"codium", "--goto", "{file}:{line}"},
	{"zed", "{file}:{line}"},
	{"subl", "{file}:{line}"},
	{"pycharm", "--line", "{line}", "{file}"},
	{"goland", "--line", "{line}", "{file}"},
	{"idea", "--line", "{line}", "{file}"},
	{"kate", "--line", "{line}", "{file}"},
	{"gnome-text-editor", "{file}"},
	{"gedit", "+{line}", "{file}"},
	{"gvim", "+{line}", "{file}"},
	{"xdg-open", "{file}"},
	{"open", "{file}"},
}

// ErrNoEditor says that no editor was found.
var ErrNoEditor = errors.New("no editor found: set LOGBOOK_TRAY_EDITOR to a command such as 'code --goto {file}:{line}'")

// editorTime bounds how long an editor's command may take; those named above
// hand over to the editor and return.
const editorTime = time.Minute

// OpenEditor opens a place in the source with the command in the environment
// variable LOGBOOK_TRAY_EDITOR, or the first editor that is installed. The place comes
// from a record and is not trusted: it has to be an existing file with an absolute
// name, and is passed as an argument of its own, without a shell. It waits for the
// command, at most a minute.
func OpenEditor(ctx context.Context, site core.Site) error {
	if !filepath.IsAbs(site.File) {
		return fmt.Errorf("%q is not the name of a file on this computer", site.File)
	}
	info, err := os.Stat(site.File)
	if err != nil {
		return fmt.Errorf("open in editor: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("open in editor: %s is not a file", site.File)
	}
	command := editorCommand(os.Getenv("LOGBOOK_TRAY_EDITOR"))
	if command == nil {
		return ErrNoEditor
	}
	ctx, cancel := context.WithTimeout(ctx, editorTime)
	defer cancel()
	replace := strings.NewReplacer("{file}", site.File, "{line}", strconv.Itoa(max(site.Line, 1)))
	args := make([]string, len(command))
	for i, a := range command {
		args[i] = replace.Replace(a)
	}
	if out, err := exec.CommandContext(ctx, command[0], args[1:]...).CombinedOutput(); err != nil { //nolint:gosec // the user's own editor
		return fmt.Errorf("run %s: %w: %s", command[0], err, strings.TrimSpace(string(out)))
	}
	return nil
}

// editorCommand returns the command line to use; nil if there is none.
func editorCommand(own string) []string {
	if fields := strings.Fields(own); len(fields) > 0 {
		if !strings.Contains(own, "{file}") {
			fields = append(fields, "{file}")
		}
		return fields
	}
	for _, e := range editors {
		if _, err := exec.LookPath(e[0]); err == nil {
			return e
		}
	}
	return nil
}
