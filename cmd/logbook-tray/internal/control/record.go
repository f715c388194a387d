package control

import (
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// jsonRecord is a record that marshals to Logbook's JSON.
type jsonRecord struct{ *core.Record }

// MarshalJSON returns the record as Logbook's JSON.
func (r jsonRecord) MarshalJSON() ([]byte, error) { return wire.Append(nil, r.Record) }

// UnmarshalJSON reads Logbook's JSON.
func (r *jsonRecord) UnmarshalJSON(b []byte) error {
	decoded, err := wire.Decode(append([]byte(nil), b...))
	r.Record = decoded
	return err
}

// JSONRecords wraps records for [Alert.Context].
func JSONRecords(rs []*core.Record) []jsonRecord { //nolint:revive // the type serves encoding/json only
	out := make([]jsonRecord, len(rs))
	for i, r := range rs {
		out[i] = jsonRecord{r}
	}
	return out
}
