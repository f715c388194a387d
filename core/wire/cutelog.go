package wire

import (
	"bytes"
	"errors"
	"sync/atomic"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire/packed"
)

// Format is an encoding of records in the frames of a stream.
type Format uint32

// The formats that cutelog knows.
const (
	FormatPickle Format = iota // what Python's SocketHandler sends
	FormatJSON
	FormatMessagePack
	FormatCBOR
)

// String returns the name of the format in the commands of cutelog.
func (f Format) String() string {
	switch f {
	case FormatJSON:
		return "json"
	case FormatMessagePack:
		return "msgpack"
	case FormatCBOR:
		return "cbor"
	default:
		return "pickle"
	}
}

// Frames decodes the frames of one connection that speaks the protocol of
// cutelog, which that of Python's SocketHandler is a part of: pickles until a
// command such as "!!cutelog!!format=json" says otherwise. JSON and the serialization of
// execnet are recognized without a command. Its methods are safe for concurrent use, but a change of
// format means what follows.
type Frames struct {
	decoder *Decoder
	format  atomic.Uint32
}

// NewFrames returns the decoder of a new connection.
func NewFrames(d *Decoder) *Frames { return &Frames{decoder: d} }

// Format returns the format that is expected next.
func (f *Frames) Format() Format { return Format(f.format.Load()) }

// Decode makes a record of one frame, without its length. It returns nil without an
// error for a frame that holds none: a command, known or not, and an empty frame.
// An error, which is of type [*RejectError], says nothing about the frames that follow.
// The frame may be retained.
func (f *Frames) Decode(frame []byte) (*core.Record, error) {
	if len(frame) == 0 {
		return nil, nil //nolint:nilnil // documented
	}
	if command, ok := bytes.CutPrefix(frame, []byte("!!cutelog!!")); ok {
		f.command(string(command))
		return nil, nil //nolint:nilnil // documented
	}
	switch format := f.Format(); {
	case format == FormatJSON, format == FormatPickle && frame[0] == '{': // no pickle starts so
		return f.decoder.Decode(frame)
	case format == FormatPickle && frame[0] <= maxExecnet: // nor so
		return f.decoder.DecodeExecnet(frame)
	case format == FormatPickle:
		return f.decoder.DecodePickle(frame)
	case format == FormatMessagePack:
		return f.decoder.unpacked(packed.MessagePack, frame)
	default:
		return f.decoder.unpacked(packed.CBOR, frame)
	}
}

// maxExecnet is the highest version of execnet's serialization, which begins with it.
const maxExecnet = 2

// DecodeFrame makes a record of one frame in a format as [Format.String] names it. Errors
// are of type [*RejectError].
func (d *Decoder) DecodeFrame(frame []byte, format string) (*core.Record, error) {
	f := NewFrames(d)
	f.command("format=" + format)
	r, err := f.Decode(frame)
	if r == nil && err == nil {
		err = &RejectError{ReasonMalformed, "a command or nothing"}
	}
	return r, err
}

// command obeys a command; what is not known is ignored, as cutelog does.
func (f *Frames) command(c string) {
	switch c {
	case "format=pickle":
		f.format.Store(uint32(FormatPickle))
	case "format=json":
		f.format.Store(uint32(FormatJSON))
	case "format=msgpack":
		f.format.Store(uint32(FormatMessagePack))
	case "format=cbor":
		f.format.Store(uint32(FormatCBOR))
	}
}

// DecodeExecnet makes a record of the dictionary that Logbook's
// ExecnetChannelHandler sends, in the serialization of execnet. Errors are of type
// [*RejectError].
func (d *Decoder) DecodeExecnet(body []byte) (*core.Record, error) {
	return d.unpacked(packed.Execnet, body)
}

// unpacked makes a record of an object in a binary format.
func (d *Decoder) unpacked(read func([]byte) (core.Fields, error), body []byte) (*core.Record, error) {
	if len(body) == 0 {
		return nil, &RejectError{Reason: ReasonEmpty}
	}
	if len(body) > d.maxSize {
		return nil, tooLarge(len(body), d.maxSize)
	}
	f, err := read(body)
	switch {
	case err == nil:
		return d.FromFields(f)
	case errors.Is(err, packed.ErrTooDeep):
		return nil, &RejectError{Reason: ReasonTooDeep}
	case errors.Is(err, packed.ErrTooMany):
		return nil, &RejectError{Reason: ReasonTooMany}
	case errors.Is(err, packed.ErrNoObject):
		return nil, &RejectError{Reason: ReasonNotObject}
	}
	return nil, &RejectError{ReasonMalformed, err.Error()}
}
