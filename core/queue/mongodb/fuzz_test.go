package mongodb

import (
	"os"
	"path/filepath"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// FuzzDocument looks for a document in the collection of messages that is neither a record nor
// rejected with a reason.
func FuzzDocument(f *testing.F) {
	files, err := filepath.Glob("../../wire/testdata/logbook-mq-mongodb/*.bson")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, d := range []bson.D{{}, {{Key: "_id", Value: 1}, {Key: "payload", Value: bson.D{{Key: "a", Value: nil}}}}, {{Key: "payload", Value: "{"}}} {
		b, err := bson.Marshal(d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	o, _, err := Options{URI: "mongodb://localhost"}.withDefaults()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		r := &Receiver{opts: o, given: newGiven()}
		m, first := r.message(document)
		if !first || (m.Record == nil) == (m.Err == nil) {
			t.Fatalf("%v, %+v", first, m)
		}
		m.Ack(nil)
	})
}
