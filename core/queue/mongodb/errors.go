package mongodb

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/auth"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"github.com/logbook-tray/logbook-tray/core/internal/handshake"
)

// What a server answers, by the numbers of MongoDB's error_codes.yml.
const (
	codeInternal             = 1
	codeUserNotFound         = 11
	codeUnauthorized         = 13
	codeAuthenticationFailed = 18
	codeCursorNotFound       = 43
	codeInvalidNamespace     = 73
	codeInvalid              = 121 // the collection has rules for its documents
	codeView                 = 166
	codeWritesBlocked        = 371
	codeAtlas                = 8000 // of Atlas, for a wrong password among others
	codeNotPrimary           = 10107
	codeDiskFull             = 14031
)

// code returns the number of what the server has answered; 0 if it is something else that
// went wrong.
func code(err error) int {
	if e, ok := errors.AsType[driver.Error](err); ok { // while connecting
		return int(e.Code)
	}
	if e, ok := errors.AsType[mongo.ServerError](err); ok {
		for _, c := range e.ErrorCodes() {
			return c
		}
	}
	return 0
}

// isRefused reports whether the server is there and does not want us.
func isRefused(err error) bool {
	return handshake.Refused(err) || isAuthentication(err) || isFull(err) || slices.Contains([]int{
		codeUserNotFound, codeUnauthorized, codeAuthenticationFailed, codeInvalidNamespace, codeInvalid, codeView,
		codeWritesBlocked, codeAtlas,
	}, code(err))
}

// isAuthentication reports whether the server has answered while we said who we are.
func isAuthentication(err error) bool {
	_, ok := errors.AsType[*auth.Error](err)
	return ok && code(err) != 0
}

// isFull reports whether the server has no room. FerretDB has no number for that.
func isFull(err error) bool {
	text := func() string { return strings.ToLower(err.Error()) }
	switch code(err) {
	case codeDiskFull:
		return true
	case codeAtlas:
		return strings.Contains(text(), "quota")
	case codeInternal:
		return strings.Contains(text(), "disk is full") || strings.Contains(text(), "no space left")
	}
	return false
}

// explain says what to do about an error of the server.
func explain(err error, at place) error {
	if isFull(err) {
		return fmt.Errorf("the server has no room for more: make some on its disk, or raise its limits: %w", brief(err))
	}
	switch answered := code(err); {
	case answered == codeAuthenticationFailed, answered == codeUserNotFound, answered == codeAtlas && isAuthentication(err):
		where := ""
		if at.source != "" {
			where = fmt.Sprintf(" in the database %q (authSource in the URI names another)", at.source)
		}
		return fmt.Errorf("the user %q or its password is wrong%s: %w", at.user, where, brief(err))
	case answered == codeUnauthorized:
		if at.user == "" {
			return fmt.Errorf("the server wants a user and a password (mongodb://USER:PASSWORD@%s): %w", at.hosts, brief(err))
		}
		return fmt.Errorf("the user %q needs the role readWrite in the database %q: %w", at.user, at.database, brief(err))
	case answered == codeInvalidNamespace:
		return fmt.Errorf("the server does not take the name of the database %q: %w", at.database, brief(err))
	case answered == codeView:
		return fmt.Errorf("the database %q has something else where kombu keeps its messages; choose another database: %w", at.database, brief(err))
	case answered == codeWritesBlocked:
		return fmt.Errorf("the server takes nothing that is written, since somebody has blocked that (setUserWriteBlockMode): %w", brief(err))
	case answered == codeNotPrimary:
		return fmt.Errorf("the server takes nothing that is written; is there a primary?: %w", brief(err))
	}
	if isAuthentication(err) {
		refused, _ := errors.AsType[*auth.Error](err) // with what was tried
		return fmt.Errorf("the server does not take what the user %q shows; authMechanism in the URI names another way: %w", at.user, refused)
	}
	return brief(err)
}

// brief leaves out what the driver says around the reason.
func brief(err error) error {
	if answer, ok := errors.AsType[driver.Error](err); ok && answer.Code != 0 {
		return answer
	}
	if refused, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return handshake.Explain(refused)
	}
	if network, ok := errors.AsType[*net.OpError](err); ok {
		return handshake.Explain(network)
	}
	if _, ok := errors.AsType[topology.ServerSelectionError](err); ok {
		return errors.New("the servers answer, and none takes what is written: is there a primary, and is the replica set called as the URI says?")
	}
	if isEOF(err) {
		return errors.New("the server has closed the connection")
	}
	return err
}
