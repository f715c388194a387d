package wire

import "github.com/logbook-tray/logbook-tray/core"

// fieldList collects fields of which the last one wins. It stays linear in
// time however many there are, so that a hostile object cannot make it slow.
type fieldList struct {
	fields core.Fields
	index  map[string]int // made when the list gets long
}

const (
	shortList = 4  // the extra data of most records fits
	longList  = 16 // above, an index is faster than looking at each key
)

func (l *fieldList) set(key string, v any) {
	if cap(l.fields) == 0 {
		l.fields = make(core.Fields, 0, shortList)
	}
	if l.index == nil && len(l.fields) < longList {
		l.fields.Set(key, v)
		return
	}
	if l.index == nil {
		l.index = make(map[string]int, 2*longList)
		for i := range l.fields {
			l.index[l.fields[i].Key] = i
		}
	}
	if i, ok := l.index[key]; ok {
		l.fields[i].Value = v
		return
	}
	l.index[key] = len(l.fields)
	l.fields = append(l.fields, core.Field{Key: key, Value: v})
}
