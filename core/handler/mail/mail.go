// Package mail sends records as mail. It is apart from the other handlers because
// it needs github.com/wneessen/go-mail.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	netmail "net/mail"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/limit"
)

// Defaults of [Options].
const (
	DefaultSubject = "Server Error in Application"
	DefaultTimeout = 30 * time.Second

	// DefaultFormat is the headers and the text of a mail.
	DefaultFormat = `Subject: {handler.subject}

Message type:       {record.level_name}
Location:           {record.filename}:{record.lineno}
Module:             {record.module}
Function:           {record.func_name}
Time:               {record.time:%Y-%m-%d %H:%M:%S}

Message:

{record.message}
`
	// DefaultRelatedFormat is the text of the further records of a batch.
	DefaultRelatedFormat = `Message type:       {record.level_name}
Location:           {record.filename}:{record.lineno}
Module:             {record.module}
Function:           {record.func_name}
{record.message}
`
)

// Security says how the connection to a server is protected.
type Security string

// The kinds of protection.
const (
	// SecurityDefault is SecuritySTARTTLS if there is a user name, and
	// SecurityNone otherwise, which fits a server on the same machine.
	SecurityDefault Security = ""
	// SecurityNone sends in the clear, on port 25. The password is sent only if
	// the server knows a way that does not show it.
	SecurityNone Security = "none"
	// SecuritySTARTTLS begins in the clear and then encrypts, on port 587. A
	// server that cannot do so gets no mail.
	SecuritySTARTTLS Security = "starttls"
	// SecurityTLS encrypts from the start, on port 465.
	SecurityTLS Security = "tls"
)

// Options says what [New] makes. From, and To or Recipients, must be set.
type Options struct {
	// From is the sender's address, as in "Shop <shop@example.com>".
	From string
	// To are the recipients' addresses.
	To []string
	// Recipients, if not nil, chooses the recipients of a record instead; none
	// means no mail. It must not keep or change the record. Logbook: get_recipients.
	Recipients func(r *core.Record) []string
	// Subject is a format string for the subject; the default is [DefaultSubject].
	// It stands for {handler.subject} in the format.
	Subject string
	// Format is a format string of headers, an empty line, and the text; the default is
	// [DefaultFormat]. Further headers, such as X-Priority, are welcome;
	// what is in a record cannot add any.
	Format string
	// RelatedFormat is a format string for the other records of a batch; the
	// default is [DefaultRelatedFormat].
	RelatedFormat string
	// FormatOptions changes how the format strings are rendered.
	FormatOptions format.Options

	// Servers are tried in this order, each as "host" or "host:port"; the default is
	// localhost.
	Servers []string
	// Username and Password are for the server, if it wants them.
	Username, Password string
	// Security says how the connection is protected.
	Security Security
	// TLS changes how TLS is spoken.
	TLS *tls.Config
	// Hello is the name by which we introduce ourselves; the default is the name
	// of the machine.
	Hello string
	// Timeout is how long sending through one server may take; the default is
	// [DefaultTimeout].
	Timeout time.Duration

	// RecordLimit is how many mails are sent about the same record within
	// RecordDelta; 0 is no limit. The mail that follows says how many were not sent.
	// One that no server took does not count.
	RecordLimit int
	// RecordDelta is the time for RecordLimit; 0 is a minute.
	RecordDelta time.Duration
	// Fingerprint says which records are the same; nil is [limit.Location].
	Fingerprint limit.Fingerprint
	// Digest makes one mail of a batch with the reason [core.BatchBuffer] too, with
	// all its records, where otherwise each of them gets its own. Behind a
	// handler.Memory that is a mail for every so many records.
	Digest bool
}

// Handler sends records as mail, in plain text. It is Logbook's MailHandler and
// Python's SMTPHandler. A batch that led up to an error, and a group, become one
// mail.
//
// Handle returns when the mail is sent; put the handler behind an asynchronous one
// where it must not delay the one who logs.
type Handler struct {
	o        Options
	from     *netmail.Address
	to       []*netmail.Address
	servers  []server
	template *template
	related  *format.String
	limit    *limit.Delivery
}

var (
	_ core.Handler      = (*Handler)(nil)
	_ core.BatchHandler = (*Handler)(nil)
)

// New checks the options and returns a handler. No server is asked before the first
// mail.
func New(o Options) (*Handler, error) {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.RelatedFormat == "" {
		o.RelatedFormat = DefaultRelatedFormat
	}
	h := &Handler{o: o, limit: limit.NewDelivery(o.RecordLimit, o.RecordDelta, o.Fingerprint)}
	var err error
	if h.from, err = address("sender", o.From); err != nil {
		return nil, err
	}
	if h.to, err = addresses(o.To); err != nil {
		return nil, err
	}
	if len(h.to) == 0 && o.Recipients == nil {
		return nil, errors.New("mail: no recipients")
	}
	if h.servers, err = parseServers(o); err != nil {
		return nil, err
	}
	if h.template, err = newTemplate(o); err != nil {
		return nil, err
	}
	if h.related, err = format.NewString(o.RelatedFormat, o.FormatOptions); err != nil {
		return nil, fmt.Errorf("mail: related format: %w", err)
	}
	return h, nil
}

func address(what, s string) (*netmail.Address, error) {
	a, err := netmail.ParseAddress(s)
	if err != nil {
		return nil, fmt.Errorf("mail: %s %q is not an address: %w", what, s, err)
	}
	return a, nil
}

func addresses(list []string) ([]*netmail.Address, error) {
	out := make([]*netmail.Address, len(list))
	for i, s := range list {
		a, err := address("recipient", s)
		if err != nil {
			return nil, err
		}
		out[i] = a
	}
	return out, nil
}

// Handle sends a mail about r, unless the limit says not to.
func (h *Handler) Handle(ctx context.Context, r *core.Record) error {
	return h.mail(ctx, r, nil, "")
}

// HandleBatch sends one mail about the record that matters, with the others in
// it, if the reason is an escalation or a group; the limit counts that as one. Otherwise
// each record gets its mail.
func (h *Handler) HandleBatch(ctx context.Context, rs []*core.Record, why core.BatchReason) error {
	if len(rs) == 0 {
		return nil
	}
	last := len(rs) - 1
	switch {
	case why == core.BatchEscalation:
		return h.mail(ctx, rs[last], rs[:last], "Log records that led up to this one")
	case why == core.BatchGroup:
		return h.mail(ctx, rs[0], rs[1:], "Other log records in the same group")
	case h.o.Digest:
		return h.mail(ctx, rs[0], rs[1:], "Further log records")
	}
	errs := make([]error, len(rs))
	for i, r := range rs {
		errs[i] = h.Handle(ctx, r)
	}
	return errors.Join(errs...)
}

// Limited reports whether the limit holds a mail about r back just now, and until when. It
// counts nothing.
func (h *Handler) Limited(r *core.Record) (until time.Time, limited bool) {
	allow, until := h.limit.Preview(r)
	return until, !allow
}

func (h *Handler) mail(ctx context.Context, r *core.Record, others []*core.Record, title string) error {
	to := h.to
	var err error
	if h.o.Recipients != nil {
		if to, err = addresses(h.o.Recipients(r)); err != nil {
			return err
		}
		if len(to) == 0 {
			return nil
		}
	}
	suppressed, allow := h.limit.Check(r)
	if !allow {
		return nil
	}
	text, err := h.template.render(r)
	text.addSuppressed(suppressed)
	err = errors.Join(err, text.addOthers(h.related, others, title))
	sendErr := h.send(ctx, to, text)
	if sendErr != nil {
		h.limit.Undo(r, suppressed)
	}
	return errors.Join(err, sendErr)
}
