// Package syslog sends records to a syslog daemon or server: over the socket of the
// system, UDP, TCP or TLS, in the formats of Logbook, of Python's logging, and of
// RFC 5424.
package syslog
