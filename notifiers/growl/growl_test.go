package growl

import (
	"bufio"
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver is a service that understands GNTP.
type receiver struct {
	t *testing.T
	net.Listener
	password string

	mu       sync.Mutex
	got      []string // requests, opened, with "\n" for CRLF
	answers  []string // for the next requests; then "-OK"
	callback string   // sent after the answer to a notification
	done     sync.WaitGroup
}

func startReceiver(t *testing.T, password string) *receiver {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{t: t, Listener: l, password: password}
	r.done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r.done.Go(func() { r.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		r.done.Wait()
	})
	return r
}

func (r *receiver) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	first, err := in.ReadString('\n')
	if err != nil {
		return
	}
	request := r.open(strings.TrimSpace(first), in)
	r.mu.Lock()
	r.got = append(r.got, strings.ReplaceAll(request, "\r\n", "\n"))
	answer := "GNTP/1.0 -OK NONE\r\nResponse-Action: X\r\n\r\n"
	if len(r.answers) > 0 {
		answer, r.answers = r.answers[0], r.answers[1:]
	}
	callback := r.callback
	r.mu.Unlock()
	_, _ = io.WriteString(conn, answer)
	if callback != "" && strings.Contains(request, " NOTIFY ") {
		_, _ = io.WriteString(conn, callback)
	}
	_, _ = io.Copy(io.Discard, conn) // until the other side closes
}

// open reads a request and checks who sent it, as the protocol's text says.
func (r *receiver) open(first string, in *bufio.Reader) string {
	words := strings.Fields(first)
	if r.password == "" {
		return first + "\r\n" + readSections(in, words[1])
	}
	proof, salt, _ := strings.Cut(strings.TrimPrefix(words[3], "SHA256:"), ".")
	saltBytes, _ := hex.DecodeString(salt)
	key := sha256.Sum256(append([]byte(r.password), saltBytes...))
	if want := sha256.Sum256(key[:]); !strings.EqualFold(proof, hex.EncodeToString(want[:])) {
		r.t.Errorf("the hash of the key is wrong in %q", first)
	}
	if words[2] == "NONE" {
		return words[1] + " authenticated\r\n" + readSections(in, words[1])
	}
	iv, _ := hex.DecodeString(strings.TrimPrefix(words[2], "AES:"))
	sealed := readSealed(in)
	block, err := aes.NewCipher(key[:24])
	if err != nil || len(sealed)%aes.BlockSize != 0 {
		r.t.Errorf("%d bytes are sealed, %v", len(sealed), err)
		return ""
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(sealed, sealed)
	return words[1] + " encrypted\r\n" + string(sealed[:len(sealed)-int(sealed[len(sealed)-1])])
}

// readSealed reads to the empty line at the end of a message without resources.
func readSealed(in *bufio.Reader) []byte {
	var seen []byte
	for !bytes.HasSuffix(seen, []byte("\r\n\r\n")) || (len(seen)-4)%aes.BlockSize != 0 {
		b, err := in.ReadByte()
		if err != nil {
			return seen
		}
		seen = append(seen, b)
	}
	return seen[:len(seen)-4]
}

// readSections reads the blocks of headers that a request of this kind has.
func readSections(in *bufio.Reader, kind string) string {
	sections := 1
	if kind == "REGISTER" {
		sections = 9
	}
	var out strings.Builder
	for sections > 0 {
		line, err := in.ReadString('\n')
		if err != nil {
			break
		}
		out.WriteString(line)
		if line == "\r\n" {
			sections--
		}
	}
	return out.String()
}

func newNotifier(t *testing.T, r *receiver, o Options) *Notifier {
	t.Helper()
	o.Address, o.Password = r.Addr().String(), r.password
	n, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

var declined = notifiers.Notification{ID: 42, Title: "shop: Error", Body: "größer\r\nX-Evil: 1", Level: core.LevelError, Count: 1}

const notifyHeaders = `Application-Name: logbook-tray
Notification-Name: Error
Notification-ID: 42
Notification-Coalescing-ID: 42
Notification-Title: shop: Error
Notification-Text: größer
X-Evil: 1
Notification-Sticky: True
Notification-Priority: 2
`

func TestTheProgramRegistersOnceAndNotifies(t *testing.T) {
	r := startReceiver(t, "")
	n := newNotifier(t, r, Options{})
	for range 2 {
		if err := n.Notify(t.Context(), declined); err != nil {
			t.Fatal(err)
		}
	}
	register := "GNTP/1.0 REGISTER NONE\nApplication-Name: logbook-tray\nNotifications-Count: 8\n"
	for _, l := range []string{"Notset", "Trace", "Debug", "Info", "Notice", "Warning", "Error", "Critical"} {
		register += "\nNotification-Name: " + l + "\nNotification-Enabled: True\n"
	}
	notify := "GNTP/1.0 NOTIFY NONE\n" + notifyHeaders + "\n"
	if diff := cmp.Diff([]string{register + "\n", notify, notify}, r.got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestNoTextCanAddAHeader(t *testing.T) {
	m := message{kind: "NOTIFY"}
	m.add("Notification-Text", "a\r\nX-Evil: 1\rb\x00")
	if got, want := string(m.encode("", false)), "GNTP/1.0 NOTIFY NONE\r\nNotification-Text: a\nX-Evil: 1\nb\r\n\r\n\r\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestThePasswordIsProvedAndHides(t *testing.T) {
	for _, encrypt := range []bool{false, true} {
		r := startReceiver(t, "sésame")
		n := newNotifier(t, r, Options{Encrypt: encrypt})
		if err := n.Notify(t.Context(), declined); err != nil {
			t.Fatal(err)
		}
		want := "NOTIFY authenticated\n" + notifyHeaders + "\n"
		if encrypt {
			want = "NOTIFY encrypted\n" + notifyHeaders
		}
		if diff := cmp.Diff(want, r.got[1]); diff != "" {
			t.Errorf("encrypted %v (-want +got):\n%s", encrypt, diff)
		}
	}
}

func TestAnIconIsSentWithTheRegistration(t *testing.T) {
	m := message{kind: "REGISTER"}
	m.addResource("Application-Icon", []byte("png"))
	id := resourceID([]byte("png"))
	want := "GNTP/1.0 REGISTER NONE\r\nApplication-Icon: x-growl-resource://" + id + "\r\n\r\n" +
		"Identifier: " + id + "\r\nLength: 3\r\n\r\npng\r\n\r\n\r\n"
	if got := string(m.encode("", false)); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestAServiceThatForgotTheProgramIsToldAgain(t *testing.T) {
	r := startReceiver(t, "")
	n := newNotifier(t, r, Options{})
	if err := n.Notify(t.Context(), declined); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	r.answers = []string{"GNTP/1.0 -ERROR NONE\r\nError-Code: 401\r\nError-Description: unknown application\r\n\r\n"}
	r.mu.Unlock()
	if err := n.Notify(t.Context(), declined); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, q := range r.got {
		kinds = append(kinds, strings.Fields(q)[1])
	}
	if got, want := strings.Join(kinds, " "), "REGISTER NOTIFY NOTIFY REGISTER NOTIFY"; got != want {
		t.Errorf("requests %s, want %s", got, want)
	}
}

func TestARefusalAndAStrangerAreErrors(t *testing.T) {
	for answer, want := range map[string]string{
		"GNTP/1.0 -ERROR NONE\r\nError-Code: 400\r\nError-Description: not authorized\r\n\r\n": "growl: register: the service answers 400 not authorized",
		"HTTP/1.1 400 Bad Request\r\n\r\n": "growl: register: the answer is not GNTP",
	} {
		r := startReceiver(t, "")
		r.answers = []string{answer}
		if err := newNotifier(t, r, Options{}).Notify(t.Context(), declined); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestClicksAndDismissalsComeBack(t *testing.T) {
	happened := make(chan string, 2)
	o := Options{
		OnAction:  func(a notifiers.Activation) { happened <- fmt.Sprint("acted ", a.ID, " ", a.Action) },
		OnDismiss: func(id uint64) { happened <- fmt.Sprint("dismissed ", id) },
	}
	for result, want := range map[string]string{"CLICKED": "acted 42 default", "CLOSED": "dismissed 42"} {
		r := startReceiver(t, "")
		r.callback = "GNTP/1.0 -CALLBACK NONE\r\nNotification-Callback-Result: " + result + "\r\nNotification-Callback-Context: 42\r\n\r\n"
		n := newNotifier(t, r, o)
		if err := n.Notify(t.Context(), declined); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-happened:
			if got != want {
				t.Errorf("%s: %s, want %s", result, got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: nothing came", result)
		}
	}
}

func TestCloseEndsTheWaiting(t *testing.T) {
	r := startReceiver(t, "")
	n := newNotifier(t, r, Options{OnDismiss: func(uint64) { t.Error("dismissed by closing") }})
	for range maxWaiting + 3 {
		if err := n.Notify(t.Context(), declined); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Close(); err != nil || len(n.waiting) != 0 {
		t.Errorf("%v, %d wait", err, len(n.waiting))
	}
	if err := n.Notify(t.Context(), declined); err == nil {
		t.Error("shown after Close")
	}
}

func TestAServiceThatHangsCostsNoMoreThanTheContextAllows(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // never accepts
	n, err := New(Options{Address: l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := n.Notify(ctx, declined); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error: %v", err)
	}
}

func TestWrongOptionsAreNamed(t *testing.T) {
	for _, o := range []Options{{Address: "nowhere"}, {Encrypt: true}} {
		if _, err := New(o); err == nil || !strings.HasPrefix(err.Error(), "growl: ") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add("GNTP/1.0 -OK NONE\r\nA: b\r\n\r\n")
	f.Add("GNTP/1.0 -ERROR AES:00 x\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := readAnswer(bufio.NewReader(strings.NewReader(s)))
		if (a == nil) == (err == nil) {
			t.Errorf("answer %v, error %v", a, err)
		}
	})
}

// Whatever the texts are, a notification is the same headers in the same order.
func FuzzNoTextAddsAHeader(f *testing.F) {
	f.Add("shop: Error", "declined")
	f.Add("a\r\nNotification-Sticky: True", "b\r\n\r\nGNTP/1.0 NOTIFY NONE\r\n\r\n")
	f.Add("a\x00\rb", "\n\n\r\r\n")
	f.Add("\xff", strings.Repeat("👩\u200d👧", 2000))
	f.Fuzz(func(t *testing.T, title, body string) {
		n, err := New(Options{OnDismiss: func(uint64) {}})
		if err != nil {
			t.Fatal(err)
		}
		m := n.message(&notifiers.Notification{ID: 42, Title: title, Body: body, Note: "12 times", Level: core.LevelError})
		request := string(m.encode("", false))
		head, rest, _ := strings.Cut(request, "\r\n")
		if head != "GNTP/1.0 NOTIFY NONE" || !strings.HasSuffix(rest, "\r\n\r\n\r\n") || !utf8.ValidString(request) || strings.Contains(request, "\x00") {
			t.Errorf("request %q", request)
		}
		var names []string
		for line := range strings.SplitSeq(strings.TrimSuffix(rest, "\r\n\r\n\r\n"), "\r\n") {
			name, value, _ := strings.Cut(line, ": ")
			names = append(names, name)
			if strings.Contains(value, "\r") || utf8.RuneCountInString(value) > maxText {
				t.Errorf("%s is %q", name, value)
			}
		}
		want := "Application-Name Notification-Name Notification-ID Notification-Coalescing-ID Notification-Title Notification-Text " +
			"Notification-Sticky Notification-Priority Notification-Callback-Context Notification-Callback-Context-Type"
		if got := strings.Join(names, " "); got != want {
			t.Errorf("headers %s", got)
		}
		if !strings.Contains(request, "12 times") {
			t.Error("the count is lost")
		}
	})
}
