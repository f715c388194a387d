//go:build !unix

package zeromq

import "strconv"

// peerName returns a name for the other end of a connection of libzmq.
func peerName(fd int) string { return "connection " + strconv.Itoa(fd) }
