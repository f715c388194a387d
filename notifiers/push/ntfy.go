package push

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/post"
)

// The documented limits of ntfy: a longer message becomes an attachment.
const (
	ntfyMaxMessage = 4096 // bytes
	ntfyMaxTitle   = 250  // characters; the documents name none
	ntfyMaxActions = 3
	// ntfyMaxHeader is what a message may have that goes as a header, in bytes before it
	// is encoded: proxies take headers of 8 KiB.
	ntfyMaxHeader = 2048
)

// DefaultNtfyServer is the server that ntfy's makers run.
const DefaultNtfyServer = "https://ntfy.sh"

// NtfyOptions are the settings of a notifier for ntfy. Topic is required.
type NtfyOptions struct {
	// Server is the address of the server; "" means DefaultNtfyServer.
	Server string
	// Topic is the name of the topic, a secret where the server asks for no token.
	Topic string
	// Token is an access token; "" for none. User and Password are used if
	// there is none.
	Token, User, Password string
	// Click is the address that a tap on the notification opens; "" for none.
	Click string
	// Tags are added to that of the level; ntfy shows some as a picture.
	Tags []string
	// Actions are buttons, at most three.
	Actions []NtfyAction
	// Context, if not nil, makes the lines of a file that is attached: the records that
	// led up to the error.
	Context notifiers.Formatter
	// Client makes the requests; nil means one of its own. Redirects are not
	// followed.
	Client *http.Client
}

// NtfyAction is a button of a notification.
type NtfyAction struct {
	// Label is the text of the button.
	Label string
	// URL is the address that it opens.
	URL string
	// Method, if not "", has the phone make a request to URL instead: "GET", "POST" or
	// "PUT".
	Method string
}

// Ntfy sends notifications to a topic of an ntfy server. Repeats update the
// message on the phone if the server is of version 2.16 or later. A text that is too
// long for a message is attached as a file; where the server takes no files, the
// message goes without. It is safe for concurrent use.
type Ntfy struct {
	poster  *post.Client
	opts    NtfyOptions
	server  string
	header  http.Header
	actions []ntfyAction
	run     string // tells the messages of this run from those of others
	sent    sent   // the addresses of attached files
	noFiles atomic.Bool
}

var _ notifiers.Notifier = (*Ntfy)(nil)

// topicPattern is what ntfy allows.
var topicPattern = regexp.MustCompile(`^[-_A-Za-z0-9]{1,64}$`)

// NewNtfy returns a notifier. The error says which option is wrong.
func NewNtfy(o NtfyOptions) (*Ntfy, error) {
	if o.Server == "" {
		o.Server = DefaultNtfyServer
	}
	server, err := post.BaseURL("ntfy", o.Server)
	if err != nil {
		return nil, err
	}
	if !topicPattern.MatchString(o.Topic) {
		return nil, errors.New("ntfy: topic: want 1 to 64 letters, digits, \"-\" or \"_\"")
	}
	actions, err := ntfyActions(o.Actions)
	if err != nil {
		return nil, err
	}
	n := &Ntfy{
		opts: o, actions: actions, server: server, header: http.Header{"Content-Type": {"application/json"}}, run: rand.Text()[:8],
		poster: post.New("ntfy", o.Client, o.Token, o.Password, o.Topic),
	}
	switch {
	case o.Token != "":
		n.header.Set("Authorization", "Bearer "+o.Token)
	case o.User != "":
		n.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(o.User+":"+o.Password)))
	}
	return n, nil
}

// ntfyMessage is a message as ntfy reads it.
type ntfyMessage struct {
	Topic    string       `json:"topic"`
	Title    string       `json:"title,omitempty"`
	Message  string       `json:"message"`
	Priority int          `json:"priority"`
	Tags     []string     `json:"tags,omitempty"`
	Click    string       `json:"click,omitempty"`
	Actions  []ntfyAction `json:"actions,omitempty"`
	Attach   string       `json:"attach,omitempty"`
	File     string       `json:"filename,omitempty"`
	Sequence string       `json:"sequence_id,omitempty"`
}

type ntfyAction struct {
	Action string `json:"action"`
	Label  string `json:"label"`
	URL    string `json:"url"`
	Method string `json:"method,omitempty"`
}

// ntfyActions checks actions and returns them as ntfy reads them.
func ntfyActions(actions []NtfyAction) ([]ntfyAction, error) {
	if len(actions) > ntfyMaxActions {
		return nil, fmt.Errorf("ntfy: actions: there may be %d at most", ntfyMaxActions)
	}
	var out []ntfyAction
	for _, a := range actions {
		kind := "view"
		switch a.Method {
		case "":
		case http.MethodGet, http.MethodPost, http.MethodPut:
			kind = "http"
		default:
			return nil, fmt.Errorf("ntfy: actions: the method %q is not GET, POST or PUT", a.Method)
		}
		if a.Label == "" || a.URL == "" {
			return nil, errors.New("ntfy: actions: each needs a label and a url")
		}
		out = append(out, ntfyAction{kind, a.Label, a.URL, a.Method})
	}
	return out, nil
}

// Notify sends a notification. The error wraps [ErrRefused] if the server does not
// want it.
func (n *Ntfy) Notify(ctx context.Context, of notifiers.Notification) error {
	m := ntfyMessage{
		Topic: n.opts.Topic, Title: ntfyTitle(of.Title), Message: fit(&of, ntfyMaxMessage, bytesOf),
		Priority: ntfyPriority(of.Level), Tags: append(ntfyTags(of.Level), n.opts.Tags...), Click: n.opts.Click, Actions: n.actions,
		Sequence: "logbook-tray-" + n.run + "-" + strconv.FormatUint(of.ID, 10),
	}
	address, again := n.sent.name(of.ID)
	if again && address != "" {
		m.Attach, m.File = address, fileName // an update without it would take the file away
	}
	var attaching error
	if file := fileOf(of, n.opts.Context, m.Message != of.Text(0)); file != nil && !again && !n.noFiles.Load() {
		if attaching = n.attach(ctx, of, m, file); attaching == nil {
			return nil
		}
	}
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("ntfy: %w", err)
	}
	if err := n.poster.Post(ctx, n.server, n.header, body); err != nil {
		return err
	}
	n.sent.remember(of.ID, address)
	if attaching != nil && n.opts.Context != nil {
		return fmt.Errorf("ntfy: %w: the file with the context: %w", notifiers.ErrPartly, attaching)
	}
	return nil
}

// ntfyTitle returns a title for a message. The server takes titles for headers, in JSON
// too, and decodes what looks like an encoded word of RFC 2047, line breaks and all: that
// is broken up with a character that is not seen.
func ntfyTitle(title string) string {
	return display.Cut(strings.ReplaceAll(title, "=?", "=\u200b?"), ntfyMaxTitle)
}

// attach sends a message as the headers of a file.
func (n *Ntfy) attach(ctx context.Context, of notifiers.Notification, m ntfyMessage, file []byte) error {
	ctx, cancel := context.WithTimeout(ctx, fileTime)
	defer cancel()
	header := n.header.Clone()
	header.Set("Content-Type", fileType)
	header.Set("X-Filename", fileName)
	header.Set("X-Title", headerText(m.Title))
	header.Set("X-Message", headerText(fit(&of, ntfyMaxHeader, bytesOf)))
	header.Set("X-Priority", strconv.Itoa(m.Priority))
	header.Set("X-Sequence-ID", m.Sequence)
	if len(m.Tags) > 0 {
		header.Set("X-Tags", headerText(strings.Join(m.Tags, ",")))
	}
	if m.Click != "" {
		header.Set("X-Click", headerText(m.Click))
	}
	if len(m.Actions) > 0 {
		actions, err := json.Marshal(m.Actions)
		if err != nil {
			return fmt.Errorf("ntfy: %w", err)
		}
		header.Set("X-Actions", headerText(string(actions)))
	}
	answer, err := n.poster.Do(ctx, post.Request{
		Method: http.MethodPut, Address: n.server + "/" + n.opts.Topic, Header: header, Body: file,
	})
	if err != nil {
		if answer.Status == http.StatusBadRequest {
			n.noFiles.Store(true) // the server is not set up for files
		}
		return err
	}
	var a struct {
		Attachment struct {
			URL string `json:"url"`
		} `json:"attachment"`
	}
	_ = json.Unmarshal(answer.Body, &a) // updates go without the file then
	n.sent.remember(of.ID, a.Attachment.URL)
	return nil
}

// headerText writes a text as a header of ntfy: as it is, or as the encoded words of
// RFC 2047.
func headerText(s string) string {
	if !strings.Contains(s, "=?") && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return s
	}
	const maxWord = 45 // bytes, which are 60 as base64
	var words []string
	for s != "" {
		n := min(len(s), maxWord)
		for n < len(s) && !utf8.RuneStart(s[n]) {
			n--
		}
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(words, " ")
}

// ntfyPriority maps a level to ntfy's 1 (min) to 5 (max).
func ntfyPriority(l core.Level) int {
	switch {
	case l >= core.LevelCritical:
		return 5
	case l >= core.LevelError:
		return 4
	case l >= core.LevelNotice:
		return 3
	case l >= core.LevelInfo:
		return 2
	}
	return 1
}

// ntfyTags returns the tags of a level; ntfy shows some as a picture.
func ntfyTags(l core.Level) []string {
	switch {
	case l >= core.LevelCritical:
		return []string{"rotating_light"}
	case l >= core.LevelError:
		return []string{"x"}
	case l >= core.LevelWarning:
		return []string{"warning"}
	}
	return nil
}
