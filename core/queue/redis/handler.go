package redis

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"

	"github.com/logbook-tray/logbook-tray/core"
)

// Encoder returns an encoder for the small JSON object of Logbook's RedisHandler, for
// [queue.HandlerOptions] and a sender of mode [List] or [Channel]. extra is its
// extra_fields. Unlike there, the message is the one with its arguments.
func Encoder(extra core.Fields) func(dst []byte, r *core.Record) ([]byte, error) {
	extra = extra.Clone()
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	return func(dst []byte, r *core.Record) ([]byte, error) {
		fields := map[string]any{
			"message": r.Message(), "host": host, "level": r.Level.String(),
			"time": r.Time.UTC().Format("2006-01-02T15:04:05.000000"),
		}
		for _, more := range []core.Fields{extra, r.Kwargs} {
			maps.Insert(fields, more.All())
		}
		text, err := json.Marshal(fields)
		if err != nil {
			return dst, fmt.Errorf("encode a record: %w", err)
		}
		return append(dst, text...), nil
	}
}
