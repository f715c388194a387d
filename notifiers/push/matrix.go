package push

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"sync/atomic"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/post"
)

// matrixMaxBytes bounds the content of an event. The whole event, with what the
// servers add, may have 65 536 bytes.
const matrixMaxBytes = 56_000

// MatrixOptions are the settings of a notifier for Matrix. Server, Token and Room are
// required.
type MatrixOptions struct {
	// Server is the address of the homeserver.
	Server string
	// Token is an access token of the user who sends.
	Token string
	// Room is the ID of a room that the user is in: "!abc:example.org". It is not
	// encrypted what is sent there.
	Room string
	// Context, if not nil, makes the lines of a file that is sent after the message: the
	// records that led up to the error.
	Context notifiers.Formatter
	// Client makes the requests; nil means one of its own. Redirects are not
	// followed.
	Client *http.Client
}

// Matrix sends notifications to a room, as plain text that mentions nobody, by the
// client-server API, version 3. Each message has a transaction ID of its own, so that
// one that is repeated after a failure is there once. Repeats of a record change the
// message that is there (m.replace). A text that is too long for a message is sent as a
// file, too. Below warning it is an m.notice, of which
// programs make no sound. It is safe for concurrent use, where calls about the same
// notification come one after the other.
type Matrix struct {
	poster  *post.Client
	opts    MatrixOptions
	address string // of the room, without the transaction
	media   string // where files go
	header  http.Header
	run     string // tells the transactions of this run from those of others
	count   atomic.Uint64
	sent    sent
}

var _ notifiers.Notifier = (*Matrix)(nil)

var matrixRoom = regexp.MustCompile(`^![^\s/]{1,254}$`)

// NewMatrix returns a notifier. The error says which option is wrong.
func NewMatrix(o MatrixOptions) (*Matrix, error) {
	server, err := post.BaseURL("matrix", o.Server)
	switch {
	case err != nil:
		return nil, err
	case o.Token == "":
		return nil, errors.New("matrix: token: none is given")
	case !matrixRoom.MatchString(o.Room):
		return nil, errors.New("matrix: room: want the ID of a room, such as !abc:example.org")
	}
	return &Matrix{
		poster: post.New("matrix", o.Client, o.Token), opts: o, run: rand.Text(),
		media:   server + "/_matrix/media/v3/upload?filename=" + fileName,
		address: server + "/_matrix/client/v3/rooms/" + url.PathEscape(o.Room) + "/send/m.room.message/",
		header:  http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + o.Token}},
	}, nil
}

// matrixMessage is the content of an m.room.message event.
type matrixMessage struct {
	Type     string          `json:"msgtype"`
	Body     string          `json:"body"`
	Mentions struct{}        `json:"m.mentions"` // nobody
	New      *matrixMessage  `json:"m.new_content,omitempty"`
	Relation *matrixRelation `json:"m.relates_to,omitempty"`
}

type matrixRelation struct {
	Type  string `json:"rel_type"`
	Event string `json:"event_id"`
}

// Notify sends a notification, or changes the one that was sent. The error wraps
// [ErrRefused] if the server does not want it.
func (m *Matrix) Notify(ctx context.Context, of notifiers.Notification) error {
	whole := together(of)
	event, edit := m.sent.name(of.ID)
	text := fit(&whole, matrixMaxBytes, func(text string) int {
		// A message has to be as short as the edit of it would have to be.
		b, err := json.Marshal(matrixContent(of.Level, text, "$"+m.run))
		if err != nil {
			return 0 // is found again
		}
		return len(b)
	})
	answer, err := m.send(ctx, matrixContent(of.Level, text, event))
	if err != nil || edit {
		return err // edits are of the first event, always
	}
	var a struct {
		Event string `json:"event_id"`
	}
	if json.Unmarshal(answer.Body, &a) == nil && a.Event != "" {
		m.sent.remember(of.ID, a.Event)
	}
	if file := fileOf(of, m.opts.Context, text != whole.Text(0)); file != nil {
		if err := m.file(ctx, file); err != nil {
			return fmt.Errorf("matrix: %w: the file: %w", notifiers.ErrPartly, err)
		}
	}
	return nil
}

// send sends an event to the room, with a transaction of its own.
func (m *Matrix) send(ctx context.Context, content any) (post.Answer, error) {
	body, err := json.Marshal(content)
	if err != nil {
		return post.Answer{}, fmt.Errorf("matrix: %w", err)
	}
	transaction := "logbook-tray-" + m.run + "-" + strconv.FormatUint(m.count.Add(1), 10)
	return m.poster.Do(ctx, post.Request{Method: http.MethodPut, Address: m.address + transaction, Header: m.header, Body: body})
}

// matrixFile is the content of an m.room.message event with a file.
type matrixFile struct {
	Type     string         `json:"msgtype"`
	Body     string         `json:"body"`
	URL      string         `json:"url"`
	Info     matrixFileInfo `json:"info"`
	Mentions struct{}       `json:"m.mentions"`
}

type matrixFileInfo struct {
	Type string `json:"mimetype"`
	Size int    `json:"size"`
}

// file uploads a file and sends it to the room.
func (m *Matrix) file(ctx context.Context, file []byte) error {
	ctx, cancel := context.WithTimeout(ctx, fileTime)
	defer cancel()
	header := m.header.Clone()
	header.Set("Content-Type", fileType)
	answer, err := m.poster.Do(ctx, post.Request{Address: m.media, Header: header, Body: file})
	if err != nil {
		return err
	}
	var a struct {
		URI string `json:"content_uri"`
	}
	if err := json.Unmarshal(answer.Body, &a); err != nil || a.URI == "" {
		return errors.New("matrix: the server does not say where the file is")
	}
	_, err = m.send(ctx, matrixFile{Type: "m.file", Body: fileName, URL: a.URI, Info: matrixFileInfo{"text/plain", len(file)}})
	return err
}

// matrixContent returns a message, or the edit of an event.
func matrixContent(l core.Level, text, event string) matrixMessage {
	message := matrixMessage{Type: "m.notice", Body: text}
	if l >= core.LevelWarning {
		message.Type = "m.text"
	}
	if event == "" {
		return message
	}
	return matrixMessage{
		Type: message.Type, Body: "* " + text, New: &message, // the body is for programs that know no edits
		Relation: &matrixRelation{Type: "m.replace", Event: event},
	}
}
