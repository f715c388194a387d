// Package kombu reads and writes the envelopes in which kombu, the messaging library
// below Logbook's MessageQueueHandler, puts messages on Redis and MongoDB.
package kombu

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The content types that kombu's serializers give.
const (
	TypeJSON   = "application/json"
	TypePickle = "application/x-python-serialize"
)

// Envelope is a message of kombu.
type Envelope struct {
	// Body is what was sent, decoded and unpacked.
	Body []byte
	// ContentType says how Body is serialized, [TypeJSON] most of the time.
	ContentType string
	// DeliveryTag names the message among those of its queue.
	DeliveryTag string
	// Exchange and RoutingKey say where it was published.
	Exchange, RoutingKey string
	// Priority is 0 to 9; kombu stores it the other way round on MongoDB.
	Priority int
	// Redelivered tells that a consumer has got the message before and did not
	// acknowledge it.
	Redelivered bool
}

// The errors of [Decode]; others say what is wrong with the syntax.
var (
	ErrNotEnvelope = errors.New("not an envelope of kombu")
	ErrTooLarge    = errors.New("the unpacked message is too large")
	ErrCompression = errors.New("unknown compression")
)

// document is the JSON of an envelope.
type document struct {
	Body            string         `json:"body"`
	ContentEncoding string         `json:"content-encoding"`
	ContentType     string         `json:"content-type"`
	Headers         map[string]any `json:"headers"`
	Properties      properties     `json:"properties"`
}

type properties struct {
	DeliveryMode int          `json:"delivery_mode"`
	DeliveryInfo deliveryInfo `json:"delivery_info"`
	Priority     int          `json:"priority"`
	BodyEncoding *string      `json:"body_encoding"`
	DeliveryTag  string       `json:"delivery_tag"`
}

type deliveryInfo struct {
	Exchange    string `json:"exchange"`
	RoutingKey  string `json:"routing_key"`
	Redelivered bool   `json:"redelivered,omitempty"`
}

// Decode reads an envelope as kombu 4 to 5.6 write it. Bodies are unpacked up to
// limit bytes; beyond, the error is [ErrTooLarge].
func Decode(envelope []byte, limit int) (*Envelope, error) {
	var d struct {
		document
		Body       *string     `json:"body"`
		Properties *properties `json:"properties"`
	}
	if err := json.Unmarshal(envelope, &d); err != nil {
		return nil, fmt.Errorf("read an envelope: %w", err)
	}
	if d.Body == nil || d.Properties == nil {
		return nil, ErrNotEnvelope
	}
	p := *d.Properties
	body := []byte(*d.Body)
	if p.BodyEncoding != nil && *p.BodyEncoding == "base64" {
		var err error
		if body, err = base64.StdEncoding.DecodeString(*d.Body); err != nil {
			return nil, fmt.Errorf("read the body of an envelope: %w", err)
		}
	}
	compression, _ := d.Headers["compression"].(string)
	body, err := Decompress(body, compression, limit)
	if err != nil {
		return nil, err
	}
	again, _ := d.Headers["redelivered"].(bool)
	return &Envelope{
		Body: body, ContentType: d.ContentType, DeliveryTag: p.DeliveryTag, Priority: p.Priority,
		Exchange: p.DeliveryInfo.Exchange, RoutingKey: p.DeliveryInfo.RoutingKey,
		Redelivered: again || p.DeliveryInfo.Redelivered,
	}, nil
}

// Decompress undoes a compression by the name that kombu puts into the header
// compression, on AMQP too: "" is none. The result has at most limit bytes, else the
// error is [ErrTooLarge]; for a name that is not known here it is [ErrCompression].
func Decompress(body []byte, name string, limit int) ([]byte, error) {
	var r io.Reader
	var err error
	switch strings.TrimPrefix(strings.TrimPrefix(name, "application/"), "x-") {
	case "":
		r = bytes.NewReader(body)
	case "gzip", "zlib": // kombu calls zlib so
		if r, err = zlib.NewReader(bytes.NewReader(body)); err != nil {
			r, err = gzip.NewReader(bytes.NewReader(body))
		}
	case "bz2", "bzip2":
		r = bzip2.NewReader(bytes.NewReader(body))
	default:
		return nil, fmt.Errorf("%w %q", ErrCompression, name)
	}
	if err != nil {
		return nil, fmt.Errorf("unpack a message: %w", err)
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("unpack a message: %w", err)
	}
	if len(out) > limit {
		return nil, ErrTooLarge
	}
	return out, nil
}

// Append appends the JSON of e to dst as kombu publishes a message: not compressed, the
// body in base64. e.ContentType defaults to [TypeJSON]; the delivery tag, for which
// kombu takes a random UUID, is the caller's to choose. Python's kombu refuses
// an envelope without exchange and routing key, which may be "".
func Append(dst []byte, e *Envelope) ([]byte, error) {
	encoding := "base64"
	d := document{
		Body: base64.StdEncoding.EncodeToString(e.Body), ContentEncoding: "utf-8", ContentType: e.ContentType,
		Headers: map[string]any{},
		Properties: properties{
			DeliveryMode: 2, Priority: e.Priority, BodyEncoding: &encoding, DeliveryTag: e.DeliveryTag,
			DeliveryInfo: deliveryInfo{Exchange: e.Exchange, RoutingKey: e.RoutingKey, Redelivered: e.Redelivered},
		},
	}
	if d.ContentType == "" {
		d.ContentType = TypeJSON
	}
	if e.Redelivered {
		d.Headers["redelivered"] = true
	}
	text, err := json.Marshal(d)
	if err != nil {
		return dst, fmt.Errorf("write an envelope: %w", err)
	}
	return append(dst, text...), nil
}
