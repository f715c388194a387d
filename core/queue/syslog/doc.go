// Package syslog receives what programs send to a syslog server, over UDP, TCP and Unix
// sockets: RFC 5424, RFC 3164, and what the SysLogHandlers of Python's logging and of
// Logbook send, which is neither. On streams, messages are cut as their sender does: by
// octet counts (RFC 6587), NUL bytes, or line feeds.
//
// A message that is JSON, as the Docker syslog driver passes it on, is decoded as such.
package syslog
