package rejected

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MaxBody is how many bytes of a message are kept.
const MaxBody = 256 << 10

// startSize is how many bytes of a message are at hand for lists.
const startSize = 256

// Entry is a message that is no record.
type Entry struct {
	// ID is given in the order in which they came. It is the name of the file.
	ID   uint64    `json:"id,omitzero"`
	Time time.Time `json:"time"` // when it was rejected
	// Source is the name of the subscriber, Type the kind of its transport, Peer the
	// sender's address where the transport tells it.
	Source string `json:"source"`
	Type   string `json:"type"`
	Peer   string `json:"peer,omitempty"`
	// Reason is one of few, Detail says what is wrong and where.
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
	// Size is how many bytes came in, Kept how many of them are kept: the first. Cut says
	// that the transport had no more of a message that goes on.
	Size int  `json:"size"`
	Kept int  `json:"kept"`
	Cut  bool `json:"cut,omitempty"`
	// Format is what the transport knows of how it is to be read, see queue.Message.
	Format string `json:"format,omitempty"`
	// Start is the beginning of what is kept, Body all of it: lists have the former, [Read]
	// and [Store.Get] the latter.
	Start []byte `json:"start,omitempty"`
	Body  []byte `json:"body,omitempty"`
}

// Whole reports whether the message is kept as it came, so that it can be decoded again.
func (e *Entry) Whole() bool { return !e.Cut && e.Kept == e.Size }

// Query selects entries. The zero value selects all.
type Query struct {
	Source, Reason string // "" is any
	Limit          int    // how many of them, the newest; 0 is all
}

// of returns what q selects of a list that is in the order of the IDs, newest first.
func (q Query) of(list []Entry) []Entry {
	out := []Entry{}
	for _, e := range slices.Backward(list) {
		if q.Limit > 0 && len(out) == q.Limit {
			break
		}
		if (q.Source == "" || q.Source == e.Source) && (q.Reason == "" || q.Reason == e.Reason) {
			out = append(out, e)
		}
	}
	return out
}

// ErrNotFound says that there is no such entry, perhaps not any more.
var ErrNotFound = errors.New("there is no such rejected message")

// List returns what is kept in a directory and selected by q, newest first. It may be called
// while a [Store] writes there, of this program or another one. A directory that is not
// there is empty.
func List(dir string, q Query) ([]Entry, error) {
	list, _, err := scan(dir)
	return q.of(list), err
}

// Read returns the message with this ID of a directory. The error is [ErrNotFound] if there
// is none.
func Read(dir string, id uint64) (Entry, error) {
	text, err := os.ReadFile(path(dir, id))
	if errors.Is(err, fs.ErrNotExist) {
		return Entry{}, ErrNotFound
	}
	if err != nil {
		return Entry{}, fmt.Errorf("read a rejected message: %w", err)
	}
	e, body, ok := parse(text)
	if !ok || len(body) != e.Kept {
		return Entry{}, fmt.Errorf("read a rejected message: %s is not whole", path(dir, id))
	}
	e.ID, e.Body = id, body
	return e, nil
}

// Clear removes the message with this ID from a directory, or with id 0 all that q selects,
// and returns how many there were. It is for when no [Store] is open there. The error is
// [ErrNotFound] if there is none with this ID.
func Clear(dir string, id uint64, q Query) (int, error) {
	if id != 0 {
		if _, err := os.Stat(path(dir, id)); err != nil {
			return 0, ErrNotFound
		}
		return 1, remove(dir, id)
	}
	list, err := List(dir, q)
	n := 0
	for _, e := range list {
		if removeErr := remove(dir, e.ID); removeErr != nil {
			err = errors.Join(err, removeErr)
			continue
		}
		n++
	}
	return n, err
}

// suffix is that of the files.
const suffix = ".rejected"

func path(dir string, id uint64) string { return filepath.Join(dir, fmt.Sprintf("%016d", id)+suffix) }

func remove(dir string, id uint64) error {
	if err := os.Remove(path(dir, id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a rejected message: %w", err)
	}
	return nil
}

// scan returns the entries of a directory by their ID, with their beginnings, and the names
// of files that are not whole.
func scan(dir string) (list []Entry, broken []string, err error) {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list the rejected messages: %w", err)
	}
	for _, f := range files { // sorted, and so are the IDs
		digits, ok := strings.CutSuffix(f.Name(), suffix)
		id, err := strconv.ParseUint(digits, 10, 64)
		if !ok || err != nil || id == 0 {
			continue // somebody else's
		}
		e, ok := head(filepath.Join(dir, f.Name()))
		if !ok {
			broken = append(broken, filepath.Join(dir, f.Name()))
			continue
		}
		e.ID = id
		list = append(list, e)
	}
	return list, broken, nil
}

// maxHeader bounds the line of JSON.
const maxHeader = 16 << 10

// head returns an entry with its beginning. It reports false for a file that is not whole.
func head(path string) (Entry, bool) {
	f, err := os.Open(path) //nolint:gosec // in our own directory
	if err != nil {
		return Entry{}, false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxHeader+startSize))
	if err != nil {
		return Entry{}, false
	}
	info, err := f.Stat()
	e, start, ok := parse(text)
	if !ok || err != nil || info.Size() != int64(len(text)-len(start)+e.Kept) {
		return Entry{}, false
	}
	e.Start = bytes.Clone(start[:min(len(start), startSize)])
	return e, true
}

// parse takes a file apart.
func parse(text []byte) (e Entry, rest []byte, ok bool) {
	header, rest, ok := bytes.Cut(text, []byte{'\n'})
	if !ok || json.Unmarshal(header, &e) != nil || e.Kept < 0 {
		return Entry{}, nil, false
	}
	return e, rest, true
}

// encode returns what is in the file of an entry, which has its body.
func encode(e Entry) ([]byte, error) {
	body := e.Body
	e.ID, e.Start, e.Body = 0, nil, nil
	text, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return append(append(text, '\n'), body...), nil
}

// write writes the file of an entry; all or nothing. The error wraps [fs.ErrExist] if there
// is one already.
func write(dir string, id uint64, text []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path(dir, id), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path(dir, id)) // what stays is not whole, and not listed
	}
	return err
}
