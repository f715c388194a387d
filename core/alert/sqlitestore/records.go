package sqlitestore

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// stored is a record with what its form on the wire does not say.
type stored struct {
	Record   json.RawMessage `json:"record"`
	Source   string          `json:"source,omitempty"`
	Peer     string          `json:"peer,omitempty"`
	Received time.Time       `json:"received,omitzero"`
}

func encode(rs ...*core.Record) ([]byte, error) {
	list := make([]stored, len(rs))
	for i, r := range rs {
		body, err := wire.Append(nil, r)
		if err != nil {
			return nil, fmt.Errorf("encode a record: %w", err)
		}
		list[i] = stored{Record: body, Source: r.Source.Name, Peer: r.Source.Peer, Received: r.Received}
	}
	return json.Marshal(list)
}

// decode reads what encode wrote. The records get new sequence numbers.
func decode(body []byte) ([]*core.Record, error) {
	var list []stored
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("decode records: %w", err)
	}
	rs := make([]*core.Record, len(list))
	for i, e := range list {
		r, err := wire.Decode(e.Record)
		if err != nil {
			return nil, fmt.Errorf("decode a record: %w", err)
		}
		core.NewReceived(r, core.Source{Name: e.Source, Peer: e.Peer}, e.Received)
		r.Message() // from here on it is frozen
		rs[i] = r
	}
	return rs, nil
}
