package mongodb_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/mongodb"
)

// The operation codes of MongoDB's protocol, as far as a driver uses them.
const (
	opReply = 1
	opQuery = 2004 // of the first greeting
	opMsg   = 2013
)

// fake is a server that speaks MongoDB's protocol and knows nothing: FerretDB has no
// users, whom it could refuse. It answers a command with what answers has by its name, or
// calls it, and any other with ok.
type fake struct {
	net.Listener

	answers map[string]func(command bson.Raw) bson.D
	serving sync.WaitGroup
	mu      sync.Mutex
	seen    map[string]int
}

// refuse answers as MongoDB does that does not do something.
func refuse(code int32, name, message string) func(bson.Raw) bson.D {
	return func(bson.Raw) bson.D {
		return bson.D{{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: message}, {Key: "code", Value: code}, {Key: "codeName", Value: name}}
	}
}

// startFake starts one that ends with the test. config, if not nil, is for TLS.
func startFake(t *testing.T, answers map[string]func(bson.Raw) bson.D) *fake {
	t.Helper()
	var listen net.ListenConfig
	l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{Listener: l, answers: answers, seen: map[string]int{}}
	var connections sync.Map
	f.serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			connections.Store(c, nil)
			f.serving.Go(func() {
				defer func() { _ = c.Close() }()
				for f.serve(c) == nil {
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		connections.Range(func(c, _ any) bool { return c.(net.Conn).Close() != nil || true }) //nolint:forcetypeassert // all are
		f.serving.Wait()
	})
	return f
}

// asked returns how often a command has come.
func (f *fake) asked(command string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[command]
}

// serve answers one request.
func (f *fake) serve(c net.Conn) error {
	var header [16]byte
	if _, err := io.ReadFull(c, header[:]); err != nil {
		return err
	}
	length, id, op := binary.LittleEndian.Uint32(header[:]), binary.LittleEndian.Uint32(header[4:]), binary.LittleEndian.Uint32(header[12:])
	if length < 16+5 || length > 48<<20 {
		return fmt.Errorf("a message of %d bytes", length)
	}
	body := make([]byte, length-16)
	if _, err := io.ReadFull(c, body); err != nil {
		return err
	}
	switch op {
	case opQuery: // flags, the name of the collection, two numbers, the command
		end := bytes.IndexByte(body[4:], 0)
		if end < 0 || len(body) < 4+end+1+8 {
			return io.ErrUnexpectedEOF
		}
		_, err := c.Write(reply(id, f.answer(body[4+end+1+8:])))
		return err
	case opMsg: // flags, the kind of section 0, the command; other sections have what is written
		if len(body) < 5 || body[4] != 0 {
			return io.ErrUnexpectedEOF
		}
		_, err := c.Write(msg(id, f.answer(body[5:])))
		return err
	}
	return fmt.Errorf("the operation %d", op)
}

func (f *fake) answer(rest []byte) bson.D {
	length := min(binary.LittleEndian.Uint32(rest), uint32(len(rest)))
	command := bson.Raw(rest[:length])
	first, err := command.IndexErr(0)
	if err != nil {
		return refuse(9, "FailedToParse", err.Error())(nil)
	}
	name := first.Key()
	f.mu.Lock()
	f.seen[name]++
	f.mu.Unlock()
	if answer := f.answers[name]; answer != nil {
		return answer(command)
	}
	switch strings.ToLower(name) {
	case "hello", "ismaster":
		return bson.D{
			{Key: "helloOk", Value: true},
			{Key: "isWritablePrimary", Value: true},
			{Key: "ismaster", Value: true},
			{Key: "maxBsonObjectSize", Value: int32(16 << 20)},
			{Key: "maxMessageSizeBytes", Value: int32(48_000_000)},
			{Key: "maxWriteBatchSize", Value: int32(100_000)},
			{Key: "localTime", Value: time.Now()},
			{Key: "minWireVersion", Value: int32(0)},
			{Key: "maxWireVersion", Value: int32(21)},
			{Key: "saslSupportedMechs", Value: bson.A{"SCRAM-SHA-256"}},
			{Key: "ok", Value: 1.0},
		}
	case "find", "aggregate":
		cursor := bson.D{{Key: "firstBatch", Value: bson.A{}}, {Key: "id", Value: int64(0)}, {Key: "ns", Value: "logging.messages"}}
		return bson.D{{Key: "cursor", Value: cursor}, {Key: "ok", Value: 1.0}}
	}
	return bson.D{{Key: "n", Value: int32(0)}, {Key: "ok", Value: 1.0}}
}

// scram answers the beginning of SCRAM-SHA-256 as if there were such a user.
func scram(command bson.Raw) bson.D {
	_, payload, _ := command.Lookup("payload").BinaryOK()
	_, nonce, _ := strings.Cut(string(payload), ",r=")
	return bson.D{
		{Key: "conversationId", Value: int32(1)},
		{Key: "done", Value: false},
		{Key: "payload", Value: bson.Binary{Data: []byte("r=" + nonce + "ours,s=c2FsdCBmb3IgYWxsIG9mIHVz,i=4096")}},
		{Key: "ok", Value: 1.0},
	}
}

// msg returns an answer as OP_MSG.
func msg(to uint32, answer bson.D) []byte {
	return packed(to, opMsg, []byte{0, 0, 0, 0, 0}, answer) // no flags; the section of the body
}

// reply returns one as OP_REPLY, of one document.
func reply(to uint32, answer bson.D) []byte {
	return packed(to, opReply, []byte{8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}, answer)
}

func packed(to, op uint32, head []byte, answer bson.D) []byte {
	document, err := bson.Marshal(answer)
	if err != nil {
		panic(err) // it was written down above
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(16+len(head)+len(document))) //nolint:gosec // it is small
	b = binary.LittleEndian.AppendUint32(b, 1)
	b = binary.LittleEndian.AppendUint32(b, to)
	b = binary.LittleEndian.AppendUint32(b, op)
	return append(append(b, head...), document...)
}

// What the fake says is what the protocol's documents say, byte by byte.
func TestTheFakeSpeaksMongoDBsProtocol(t *testing.T) {
	want := strings.Join([]string{
		"66000000", "01000000", "07000000", "dd070000", // how long, its number, whose answer, OP_MSG
		"00000000", "00", // no flags, one document
		"51000000",                             // which is so long
		"01", "6f6b00", "00000000", "00000000", // double, "ok", 0
		"02", "6572726d736700", "17000000", "41757468656e7469636174696f6e206661696c65642e00", // string, "errmsg"
		"10", "636f646500", "12000000", // int32, "code", 18
		"02", "636f64654e616d6500", "05000000", "4e616d6500", // string, "codeName"
		"00",
	}, "")
	if got := hex.EncodeToString(msg(7, refuse(18, "Name", "Authentication failed.")(nil))); got != want {
		t.Errorf("\n%s, want\n%s", got, want)
	}
}

func TestWhatTheServerRefusesIsSaidWithWhatToDo(t *testing.T) {
	type answers = map[string]func(bson.Raw) bson.D
	failed := refuse(18, "AuthenticationFailed", "Authentication failed.")
	for name, test := range map[string]struct {
		uri     string // of the host %s
		answers answers
		say     []string
	}{
		"nobody of that name": {
			"mongodb://tray:hush@%s/logging",
			answers{"saslStart": failed},
			[]string{`the user "tray"`, "password", `in the database "logging"`, "authSource", "Authentication failed"},
		},
		"another password": {
			"mongodb://tray:hush@%s/logging?authSource=admin",
			answers{"saslStart": scram, "saslContinue": failed},
			[]string{`the user "tray"`, "password", `in the database "admin"`, "authSource", "Authentication failed"},
		},
		"Atlas": {
			"mongodb://tray:hush@%s/",
			answers{"saslStart": refuse(8000, "AtlasError", "bad auth : Authentication failed.")},
			[]string{`the user "tray"`, `in the database "admin"`, "bad auth"},
		},
		"another mechanism": {
			"mongodb://tray:hush@%s/?authMechanism=SCRAM-SHA-1",
			answers{"saslStart": refuse(334, "MechanismUnavailable", "SCRAM-SHA-1 is disabled")},
			[]string{"authMechanism", "SCRAM-SHA-1 is disabled"},
		},
		"no user": {
			"mongodb://%s/logging",
			answers{"update": refuse(13, "Unauthorized", "command update requires authentication")},
			[]string{"wants a user", "mongodb://USER:PASSWORD@", "requires authentication"},
		},
		"no rights": {
			"mongodb://tray:hush@%s/logging?authMechanism=PLAIN",
			answers{
				"saslStart": func(bson.Raw) bson.D {
					return bson.D{{Key: "conversationId", Value: int32(1)}, {Key: "done", Value: true}, {Key: "payload", Value: bson.Binary{}}, {Key: "ok", Value: 1.0}}
				},
				"update": refuse(13, "Unauthorized", "not authorized on logging to execute command"),
			},
			[]string{`the user "tray" needs the role readWrite in the database "logging"`, "not authorized"},
		},
		"a database that may not be": {
			"mongodb://%s/logging",
			answers{"update": refuse(73, "InvalidNamespace", "Invalid namespace specified")},
			[]string{`the database "logging"`, "Invalid namespace"},
		},
		"a full disk": {
			"mongodb://%s/logging",
			answers{"update": refuse(14031, "OutOfDiskSpace", "available disk space of 7 bytes is less than required minimum")},
			[]string{"no room for more: make some", "7 bytes"},
		},
		"a quota of Atlas": {
			"mongodb://%s/logging",
			answers{"update": refuse(8000, "AtlasError", "you are over your space quota, using 513 MB of 512 MB")},
			[]string{"no room for more: make some", "513 MB"},
		},
		"writes that are blocked": {
			"mongodb://%s/logging",
			answers{"update": refuse(371, "UserWritesBlocked", "User writes blocked")},
			[]string{"setUserWriteBlockMode", "User writes blocked"},
		},
		"a view": {
			"mongodb://%s/logging",
			answers{"update": refuse(166, "CommandNotSupportedOnView", "Namespace logging.messages.routing is a view")},
			[]string{"is a view", "another database"},
		},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			o := mongodb.Options{URI: fmt.Sprintf(test.uri, startFake(t, test.answers).Addr()), Linger: -1}
			for _, s := range []queue.Statuser{subscriber(t, o), sender(t, o)} {
				for _, say := range test.say {
					brokertest.Failed(t, s, say)
				}
				if text := fmt.Sprint(s.Status(), s); strings.Contains(text, "hush") {
					t.Errorf("there is a password in %s", text)
				}
			}
		})
	}
}

func TestWhatIsWrongWithTheServerIsSaidAndTriedAgain(t *testing.T) {
	for say, answers := range map[string]map[string]func(bson.Raw) bson.D{
		"is there a primary": {"update": refuse(10107, "NotWritablePrimary", "not primary")},
		"it is overloaded":   {"update": refuse(8, "UnknownError", "it is overloaded")},
	} {
		t.Run(strings.ReplaceAll(say, " ", "_"), func(t *testing.T) {
			f := startFake(t, answers)
			o := mongodb.Options{URI: "mongodb://" + f.Addr().String(), Linger: -1, ReconnectMin: time.Millisecond, ReconnectMax: 10 * time.Millisecond}
			for _, s := range []queue.Statuser{subscriber(t, o), sender(t, o)} {
				asked := f.asked("update")
				brokertest.Await(t, say, s, func() bool {
					st := s.Status()
					return st.State == queue.StateConnecting && st.Err != nil && strings.Contains(st.Err.Error(), say)
				})
				brokertest.Await(t, "more attempts", s, func() bool { return f.asked("update") > asked+3 })
			}
		})
	}
}
