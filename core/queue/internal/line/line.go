// Package line makes records of lines of text: a JSON record if it is one, plain
// text otherwise.
package line

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// maxLevelSearch is how much of a line is searched for the name of a level.
const maxLevelSearch = 80

// Record returns the record of a line: decoded if it is JSON, otherwise a
// record of the channel whose message is the line, and whose level is named in the
// line or is fallback. A line of blanks alone gives nil.
func Record(d *wire.Decoder, text []byte, channel string, fallback core.Level) *core.Record {
	text = bytes.TrimRight(text, " \t\r\n")
	if len(text) == 0 {
		return nil
	}
	if start := bytes.TrimLeft(text, " \t"); start[0] == '{' {
		if r, err := d.Decode(start); err == nil {
			return r
		}
	}
	return Plain(string(text), channel, fallback)
}

// Plain returns a record whose message is text; see [Record].
func Plain(text, channel string, fallback core.Level) *core.Record {
	text = strings.ToValidUTF8(text, string(utf8.RuneError))
	return &core.Record{Channel: channel, Level: LevelOf(text, fallback), Msg: text}
}

// LevelOf returns the level that the first words of a line name, such as
// "2026-11-20 12:00:00 ERROR shop: ..." or "[warning] ...", or fallback. A name
// counts in upper case, or at the start or in brackets.
func LevelOf(text string, fallback core.Level) core.Level {
	head := text[:min(len(text), maxLevelSearch)]
	first := true
	for len(head) > 0 {
		i := strings.IndexFunc(head, isLetter)
		if i < 0 {
			break
		}
		bracket := i > 0 && strings.IndexByte("[<(", head[i-1]) >= 0
		head = head[i:]
		end := strings.IndexFunc(head, func(r rune) bool { return !isLetter(r) })
		if end < 0 {
			end = len(head)
		}
		word := head[:end]
		closed := end < len(head) && strings.IndexByte("]>):", head[end]) >= 0
		if l, ok := level(word); ok && (word == strings.ToUpper(word) || (first || bracket) && closed) {
			return l
		}
		head, first = head[end:], false
	}
	return fallback
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func level(word string) (core.Level, bool) {
	switch strings.ToLower(word) {
	case "err":
		return core.LevelError, true
	case "fatal", "crit", "panic", "alert", "emerg":
		return core.LevelCritical, true
	case "notset":
		return 0, false
	}
	l, err := core.ParseLevel(word)
	return l, err == nil
}
