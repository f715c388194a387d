package wire

import (
	"math"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

const (
	seenLevelno = 1 << iota
	seenLevelname
	seenMessage
	seenFile
	seenTemplate
)

// scalar is a value that needs no memory of its own.
type scalar struct {
	kind byte // one of the kinds below, 0 for None
	n    int64
	f    float64
	s    string
}

const (
	kindBool = iota + 1
	kindInt
	kindFloat
	kindText
)

// any returns the value as the rest of the package has it.
func (v *scalar) any() any {
	switch v.kind {
	case kindBool:
		return v.n != 0
	case kindInt:
		return v.n
	case kindFloat:
		return v.f
	case kindText:
		return v.s
	}
	return nil
}

// stdlibBuilder makes a record of the attributes of one of Python's logging package, as
// they come, as long as all are of the types they should have. It makes the same
// record as [Decoder.stdlib], in a fraction of the time.
type stdlibBuilder struct {
	memory    *memory
	r         *core.Record
	seen      uint8
	levelno   int
	levelname string
	message   string
	file      string // filename, which is the end of pathname
	extra     fieldList
}

// attribute is one of a record of the logging package.
type attribute uint8

const (
	attrOther attribute = iota // extra data
	attrName
	attrMsg
	attrArgs
	attrLevelname
	attrLevelno
	attrPathname
	attrFilename
	attrModule
	attrExcInfo
	attrExcText
	attrStackInfo
	attrLineno
	attrFuncName
	attrCreated
	attrMsecs
	attrRelativeCreated
	attrThread
	attrThreadName
	attrProcessName
	attrProcess
	attrTaskName
	attrMessage
	attrForeign // of a record of Logbook
)

// attributeNames are the names of the attributes. The first ones stand in the order in which
// Python has them in a record, since 3.2.
var attributeNames = [...]string{ //nolint:gochecknoglobals // a table, never changed
	attrName: "name", attrMsg: "msg", attrArgs: "args", attrLevelname: "levelname", attrLevelno: "levelno",
	attrPathname: "pathname", attrFilename: "filename", attrModule: "module", attrExcInfo: "exc_info", attrExcText: "exc_text",
	attrStackInfo: "stack_info", attrLineno: "lineno", attrFuncName: "funcName", attrCreated: "created", attrMsecs: "msecs",
	attrRelativeCreated: "relativeCreated", attrThread: "thread", attrThreadName: "threadName", attrProcessName: "processName",
	attrProcess: "process", attrTaskName: "taskName", attrMessage: "message",
}

func attributeOf(name string) attribute {
	switch name {
	case "name":
		return attrName
	case "msg":
		return attrMsg
	case "args":
		return attrArgs
	case "levelname":
		return attrLevelname
	case "levelno":
		return attrLevelno
	case "pathname":
		return attrPathname
	case "filename":
		return attrFilename
	case "module":
		return attrModule
	case "exc_info":
		return attrExcInfo
	case "exc_text":
		return attrExcText
	case "stack_info":
		return attrStackInfo
	case "lineno":
		return attrLineno
	case "funcName":
		return attrFuncName
	case "created":
		return attrCreated
	case "msecs":
		return attrMsecs
	case "relativeCreated":
		return attrRelativeCreated
	case "thread":
		return attrThread
	case "threadName":
		return attrThreadName
	case "processName":
		return attrProcessName
	case "process":
		return attrProcess
	case "taskName":
		return attrTaskName
	case "message":
		return attrMessage
	case "heavy_initialized", "channel":
		return attrForeign
	}
	return attrOther
}

// set stores one attribute and reports whether it was of a type that needs no
// thinking.
func (b *stdlibBuilder) set(key string, v *scalar) bool { return b.store(attributeOf(key), key, v) }

// store is set for an attribute that is known already.
func (b *stdlibBuilder) store(a attribute, key string, v *scalar) bool {
	r := b.r
	switch a {
	case attrName:
		return v.into(&r.Channel)
	case attrMsg:
		b.seen |= seenTemplate
		return v.into(&r.Msg)
	case attrPathname:
		return v.into(&r.Site.File)
	case attrModule:
		return v.into(&r.Site.Module)
	case attrFuncName:
		return v.into(&r.Site.Function)
	case attrThreadName:
		return v.into(&r.Thread.Name)
	case attrProcessName:
		return v.into(&r.Process.Name)
	case attrLevelname:
		b.seen |= seenLevelname
		return v.kind == kindText && v.into(&b.levelname)
	case attrMessage:
		b.seen |= seenMessage
		return v.kind == kindText && v.into(&b.message)
	case attrFilename:
		b.seen |= seenFile
		return v.kind == kindText && v.into(&b.file)
	case attrMsecs, attrRelativeCreated:
		return true
	case attrForeign:
		return false
	}
	return b.number(a, key, v)
}

// usualText returns where the text of an attribute goes that is nothing but text; nil for others.
func (b *stdlibBuilder) usualText(a attribute) *string {
	switch a {
	case attrName:
		return &b.r.Channel
	case attrMsg:
		b.seen |= seenTemplate
		return &b.r.Msg
	case attrLevelname:
		b.seen |= seenLevelname
		return &b.levelname
	case attrPathname:
		return &b.r.Site.File
	case attrFilename:
		b.seen |= seenFile
		return &b.file
	case attrModule:
		return &b.r.Site.Module
	case attrFuncName:
		return &b.r.Site.Function
	case attrThreadName:
		return &b.r.Thread.Name
	case attrProcessName:
		return &b.r.Process.Name
	}
	return nil
}

// usualNumber returns where the number of an attribute goes that is a small one; nil for
// others.
func (b *stdlibBuilder) usualNumber(a attribute) *int {
	switch a {
	case attrLevelno:
		b.seen |= seenLevelno
		return &b.levelno
	case attrLineno:
		return &b.r.Site.Line
	case attrProcess:
		return &b.r.Process.ID
	}
	return nil
}

// into stores text; None is "".
func (v *scalar) into(dst *string) bool {
	*dst = v.s
	return v.kind == kindText || v.kind == 0
}

func (b *stdlibBuilder) number(a attribute, key string, v *scalar) bool {
	r := b.r
	whole := v.kind == kindInt && int64(int(v.n)) == v.n
	switch a {
	case attrLevelno:
		b.seen |= seenLevelno
		b.levelno = int(v.n)
		return whole
	case attrLineno:
		r.Site.Line = int(v.n)
		return whole
	case attrProcess:
		r.Process.ID = int(v.n)
		return whole || v.kind == 0
	case attrThread:
		r.Thread.ID = v.n
		return whole || v.kind == 0
	case attrCreated:
		sec := math.Floor(v.f)
		r.Time = time.Unix(int64(sec), int64(math.Round((v.f-sec)*1e6))*1000).UTC()
		return v.kind == kindFloat && v.f > 0 && v.f < 1e11
	case attrArgs, attrExcInfo:
		return v.kind == 0
	case attrExcText:
		if v.kind == kindText {
			r.Exception = &core.Exception{Traceback: v.s}
		}
		return v.kind == kindText || v.kind == 0 && r.Exception == nil
	case attrStackInfo, attrTaskName:
		if v.kind == 0 {
			_, twice := b.extra.fields.Lookup(key)
			return !twice
		}
	}
	b.extra.set(key, v.any())
	return true
}

// finish completes the record. ok is false if it does not look like one.
func (b *stdlibBuilder) finish() (r *core.Record, ok bool) {
	if b.seen&(seenLevelno|seenLevelname) == 0 || b.r.Time.IsZero() {
		return nil, false
	}
	r = b.r
	if b.seen&seenFile != 0 {
		switch {
		case r.Site.File == "":
			r.Site.File = b.file
		case !isBase(b.file, r.Site.File) && b.file != pythonBase(r.Site.File):
			b.extra.set("filename", b.file)
		}
	}
	r.Extra = b.memory.takeFields(b.extra.fields)
	setStdlibLevel(r, b.levelno, b.seen&seenLevelno != 0, b.levelname)
	r.SetMessage(r.Msg)
	if b.seen&seenMessage != 0 {
		r.SetMessage(b.message)
		if b.seen&seenTemplate == 0 {
			r.Msg = b.message
		}
	}
	stdlibException(r)
	return r, true
}

// isBase reports whether name is the last part of a path with slashes, at little cost.
func isBase(name, path string) bool {
	at := len(path) - len(name)
	return name != "" && at > 0 && path[at-1] == '/' && path[at:] == name && strings.IndexByte(name, '/') < 0
}

// stdlibJSON is a short cut for the JSON of Python's QueueHandlers. It gives up, with ok
// false, at anything unusual; the long way then starts anew. Containers can
// only be extra data.
func (p *parser) stdlibJSON() (r *core.Record, ok bool) {
	b := stdlibBuilder{memory: p.memory, r: p.r, extra: fieldList{fields: p.memory.list()}}
	*b.r = core.Record{} // what was read before it turned out whose record this is
	more, err := p.open('}')
	for more && err == nil {
		var key string
		if key, err = p.key(); err != nil {
			return nil, false
		}
		if !p.attribute(&b, key) {
			return nil, false
		}
		more, err = p.more('}')
	}
	if err != nil || p.end() != nil {
		return nil, false
	}
	return b.finish()
}

// attribute reads the value of one attribute.
func (p *parser) attribute(b *stdlibBuilder, key string) bool {
	var v scalar
	var err error
	switch {
	case p.i >= len(p.s):
		return false
	case p.s[p.i] == '"':
		v.kind = kindText
		v.s, err = p.text()
		return err == nil && b.set(key, &v)
	case p.word("null"):
		return b.set(key, &v)
	}
	if n, whole := p.integer(); whole {
		return b.set(key, &scalar{kind: kindInt, n: n})
	}
	other, err := p.value()
	if err != nil {
		return false
	}
	switch f := other.(type) {
	case float64:
		return b.set(key, &scalar{kind: kindFloat, f: f})
	case bool:
		v.kind = kindBool
		if f {
			v.n = 1
		}
		return b.set(key, &v)
	}
	if logbookKey(key) != "" || stdlibOnly(key) {
		return false
	}
	b.extra.set(key, other)
	return true
}

// stdlibOnly reports whether the logging package has an attribute of this name for
// which Logbook has no key.
func stdlibOnly(key string) bool {
	switch key {
	case "levelno", "levelname", "message", "filename", "msecs", "relativeCreated", "exc_info", "stack_info", "taskName",
		"heavy_initialized", "channel":
		return true
	}
	return false
}
