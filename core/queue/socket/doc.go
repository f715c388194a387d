// Package socket receives records over TCP and Unix stream sockets, and tells
// by the first bytes of a connection what is sent:
//
//   - pickles behind four bytes of length, from the SocketHandler of Python's
//     logging; frames that start with "!!cutelog!!format=json" switch the
//     connection as with the cutelog viewer;
//   - one JSON record a line;
//   - plain lines, each of which is a message.
//
// A peer that is not read makes no progress: nothing is lost, and a slow reader
// slows the senders down.
package socket
