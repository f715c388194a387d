package growl

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/logbook-tray/logbook-tray/core/display"
)

// maxAnswer bounds what is read of a connection.
const maxAnswer = 64 << 10

// aesKeySize is that of AES-192, which GNTP means by AES.
const aesKeySize = 24

// message is a request of GNTP.
type message struct {
	kind      string
	headers   bytes.Buffer
	resources [][]byte
}

// add adds a header. A value may have several lines, which GNTP separates by a line
// feed alone: without carriage returns no value can add a header.
func (m *message) add(name, value string) {
	value = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(strings.ToValidUTF8(value, "\ufffd"))
	m.headers.WriteString(name + ": " + value + "\r\n")
}

// section ends a block of headers.
func (m *message) section() { m.headers.WriteString("\r\n") }

// addResource adds a header whose value is sent at the end of the message.
func (m *message) addResource(name string, data []byte) {
	m.add(name, "x-growl-resource://"+resourceID(data))
	m.resources = append(m.resources, data)
}

func resourceID(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

// encode returns the message, authenticated if there is a password.
func (m *message) encode(password string, encrypt bool) []byte {
	var out bytes.Buffer
	if password == "" {
		out.WriteString("GNTP/1.0 " + m.kind + " NONE\r\n")
		m.body(&out, func(b []byte) []byte { return b })
		return out.Bytes()
	}
	salt, iv := make([]byte, 16), make([]byte, aes.BlockSize)
	_, _ = rand.Read(salt) // never fails
	_, _ = rand.Read(iv)
	key := sha256.Sum256(append([]byte(password), salt...))
	proof := sha256.Sum256(key[:])
	auth := fmt.Sprintf("SHA256:%X.%X", proof, salt)
	if !encrypt {
		out.WriteString("GNTP/1.0 " + m.kind + " NONE " + auth + "\r\n")
		m.body(&out, func(b []byte) []byte { return b })
		return out.Bytes()
	}
	fmt.Fprintf(&out, "GNTP/1.0 %s AES:%X %s\r\n", m.kind, iv, auth)
	m.body(&out, func(b []byte) []byte { return seal(b, key[:aesKeySize], iv) })
	return out.Bytes()
}

// body writes the headers and the resources, each sealed for itself.
func (m *message) body(out *bytes.Buffer, seal func([]byte) []byte) {
	out.Write(seal(m.headers.Bytes()))
	out.WriteString("\r\n")
	for _, data := range m.resources {
		sealed := seal(data)
		fmt.Fprintf(out, "Identifier: %s\r\nLength: %d\r\n\r\n", resourceID(data), len(sealed))
		out.Write(sealed)
		out.WriteString("\r\n\r\n")
	}
	out.WriteString("\r\n")
}

// seal encrypts with AES in CBC mode, padded as PKCS #7 has it: what the protocol
// says.
func seal(b, key, iv []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil // the size of the key is right
	}
	n := aes.BlockSize - len(b)%aes.BlockSize
	padded := append(bytes.Clone(b), bytes.Repeat([]byte{byte(n)}, n)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(padded, padded)
	return padded
}

// answer is what the service says.
type answer struct {
	kind    string
	headers map[string]string
}

// errNotGNTP is the error for a service that speaks something else.
var errNotGNTP = errors.New("the answer is not GNTP")

// session is a connection to the service: one request, its answer, and perhaps a
// callback.
type session struct {
	net.Conn
	in *bufio.Reader // of all that is read
}

func newSession(conn net.Conn) *session {
	return &session{Conn: conn, in: bufio.NewReader(io.LimitReader(conn, maxAnswer))}
}

// readAnswer reads one answer. Of an encrypted one only the kind is known.
func readAnswer(in *bufio.Reader) (*answer, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	words := strings.Fields(line)
	if len(words) < 3 || words[0] != "GNTP/1.0" {
		return nil, errNotGNTP
	}
	a := &answer{kind: words[1], headers: make(map[string]string)}
	if words[2] != "NONE" {
		return a, nil
	}
	for {
		line, err := in.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if line == "" || err != nil {
			return a, nil //nolint:nilerr // the kind is all that matters
		}
		if name, value, ok := strings.Cut(line, ":"); ok {
			a.headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
}

// refusal is an answer that is an error.
type refusal struct{ code, text string }

func (e *refusal) Error() string { return "the service answers " + e.code + " " + e.text }

func (a *answer) err() error {
	switch a.kind {
	case "-OK":
		return nil
	case "-ERROR":
		return &refusal{display.Line(a.headers["Error-Code"], 20), display.Line(a.headers["Error-Description"], 200)}
	}
	return errNotGNTP
}

// isUnknown reports whether the service does not know the program: it was restarted.
func isUnknown(err error) bool {
	var e *refusal
	return errors.As(err, &e) && (e.code == "401" || e.code == "402")
}
