package format

import (
	"strconv"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/strformat"
)

// attribute is an attribute of a record under the name it has in Logbook.
type attribute uint8

const (
	attrNone attribute = iota
	attrArgs
	attrChannel
	attrDispatcher
	attrExceptionMessage
	attrExceptionName
	attrExceptionShortname
	attrExtra
	attrFilename
	attrFormattedException
	attrFrameCorrection
	attrFuncName
	attrGreenlet
	attrKwargs
	attrLevel
	attrLevelName
	attrLineno
	attrMessage
	attrModule
	attrMsg
	attrProcess
	attrProcessName
	attrReceived
	attrSeq
	attrSource
	attrThread
	attrThreadName
	attrTime
)

// attributeOf returns the attribute of the given name; attrNone if there is
// none.
func attributeOf(name string) attribute {
	for i, n := range attributeNames() {
		if n == name {
			return attribute(i)
		}
	}
	return attrNone
}

// attributeNames lists the names in the order of the constants.
func attributeNames() []string {
	return []string{
		"", "args", "channel", "dispatcher", "exception_message", "exception_name", "exception_shortname",
		"extra", "filename", "formatted_exception", "frame_correction", "func_name", "greenlet", "kwargs",
		"level", "level_name", "lineno", "message", "module", "msg", "process", "process_name", "received", "seq",
		"source", "thread", "thread_name", "time",
	}
}

// Attributes lists the attributes of a record that a format string or a
// template can use, sorted: "{record.channel}".
func Attributes() []string { return attributeNames()[1:] }

// Attribute returns the value of an attribute of r as it is seen by format
// strings, and whether there is an attribute of that name. Unknown texts are "",
// unknown numbers 0. Times are in UTC.
func Attribute(r *core.Record, name string) (value any, ok bool) {
	a := attributeOf(name)
	return valueOf(r, a, nil), a != attrNone
}

func valueOf(r *core.Record, a attribute, zone *time.Location) any {
	switch a {
	case attrArgs:
		return r.Args
	case attrDispatcher:
		if r.Dispatcher == nil {
			return nil
		}
		return dispatcher{r.Dispatcher}
	case attrExtra:
		return r.Extra
	case attrFrameCorrection:
		return r.FrameCorrection
	case attrGreenlet:
		return r.Thread.Greenlet
	case attrKwargs:
		return r.Kwargs
	case attrLevel:
		return int(r.Level)
	case attrLineno:
		return r.Caller().Line
	case attrProcess:
		return r.Process.ID
	case attrReceived:
		return inZone(r.Received, zone)
	case attrSeq:
		return r.Seq
	case attrSource:
		return source(r.Source)
	case attrThread:
		return r.Thread.ID
	case attrTime:
		return inZone(r.Time, zone)
	}
	return textOf(r, a)
}

// textOf returns the value of an attribute that is a text.
func textOf(r *core.Record, a attribute) string {
	switch a {
	case attrChannel:
		return r.Channel
	case attrLevelName:
		return r.Level.String()
	case attrMessage:
		return r.Message()
	case attrMsg:
		return r.Msg
	case attrFilename:
		return r.Caller().File
	case attrFuncName:
		return r.Caller().Function
	case attrModule:
		return r.Caller().Module
	case attrProcessName:
		return r.Process.Name
	case attrThreadName:
		return r.Thread.Name
	case attrExceptionShortname:
		return r.Exception.ShortName()
	}
	if r.Exception == nil {
		return ""
	}
	switch a {
	case attrExceptionMessage:
		return r.Exception.Message
	case attrExceptionName:
		return r.Exception.Name
	case attrFormattedException:
		return r.Exception.Traceback
	}
	return ""
}

func inZone(t time.Time, zone *time.Location) time.Time {
	if zone == nil {
		return t.UTC()
	}
	return t.In(zone)
}

// appendAttribute appends the text of an attribute without a specification.
func appendAttribute(dst []byte, r *core.Record, a attribute, zone *time.Location) []byte {
	switch a {
	case attrLineno:
		return strconv.AppendInt(dst, int64(r.Caller().Line), 10)
	case attrProcess:
		return strconv.AppendInt(dst, int64(r.Process.ID), 10)
	case attrLevel:
		return strconv.AppendInt(dst, int64(r.Level), 10)
	case attrArgs, attrDispatcher, attrExtra, attrFrameCorrection, attrGreenlet, attrKwargs,
		attrReceived, attrSeq, attrSource, attrThread, attrTime:
		return strformat.AppendStr(dst, valueOf(r, a, zone))
	}
	return append(dst, textOf(r, a)...)
}

// source is a source as a format string sees it.
type source core.Source

func (s source) String() string { return core.Source(s).String() }

// Attribute implements the access of format strings.
func (s source) Attribute(name string) (any, bool) {
	switch name {
	case "name":
		return s.Name, true
	case "peer":
		return s.Peer, true
	}
	return nil, false
}

// dispatcher is a logger as a format string sees it.
type dispatcher struct{ logger *core.Logger }

func (d dispatcher) String() string { return d.logger.Name() }

// Attribute implements the access of format strings.
func (d dispatcher) Attribute(name string) (any, bool) {
	switch name {
	case "name":
		return d.logger.Name(), true
	case "level":
		return int(d.logger.Level()), true
	case "level_name":
		return d.logger.Level().String(), true
	case "disabled":
		return d.logger.Disabled(), true
	}
	return nil, false
}
