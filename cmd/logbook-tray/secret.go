package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/logbook-tray/logbook-tray/core/config/keyring"
)

func newSecret() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secret",
		Short: "Keep tokens and passwords in the desktop's keyring",
		Long: `Keep tokens and passwords in the desktop's keyring, where the configuration takes
them from with {keyring: NAME}.`,
		Example: "  logbook-tray secret set ntfy\n  logbook-tray secret delete ntfy",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:     "set NAME",
			Short:   "Keep a secret, which is asked for or read from the standard input",
			Example: "  logbook-tray secret set ntfy\n  pass show ntfy | logbook-tray secret set ntfy",
			Args:    oneSecret,
			RunE: func(cmd *cobra.Command, args []string) error {
				value, err := readSecret(cmd, args[0])
				if err != nil {
					return err
				}
				return keyring.Set(cmd.Context(), args[0], value)
			},
		},
		&cobra.Command{
			Use:     "delete NAME",
			Short:   "Forget a secret",
			Example: "  logbook-tray secret delete ntfy",
			Args:    oneSecret,
			RunE:    func(cmd *cobra.Command, args []string) error { return keyring.Delete(cmd.Context(), args[0]) },
		},
	)
	return cmd
}

func oneSecret(_ *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return usagef("name one secret, as it stands in the configuration: {keyring: NAME}")
	}
	return nil
}

// maxSecret bounds a secret, in bytes.
const maxSecret = 64 << 10

var errNoSecret = errors.New("there is no secret on the standard input")

// readSecret asks for a secret on a terminal, without showing it, or reads it from the
// standard input, without the newline at its end.
func readSecret(cmd *cobra.Command, name string) (string, error) {
	var content []byte
	var err error
	if f, ok := cmd.InOrStdin().(*os.File); ok && term.IsTerminal(int(f.Fd())) { //nolint:gosec // a file descriptor
		fmt.Fprintf(cmd.ErrOrStderr(), "Secret %s (it is not shown): ", name)
		content, err = term.ReadPassword(int(f.Fd())) //nolint:gosec // a file descriptor
		fmt.Fprintln(cmd.ErrOrStderr())
	} else {
		content, err = io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxSecret+1))
	}
	value := strings.TrimRight(string(content), "\r\n")
	switch {
	case err != nil:
		return "", fmt.Errorf("read the secret: %w", err)
	case value == "":
		return "", errNoSecret
	case len(value) > maxSecret:
		return "", fmt.Errorf("the secret is longer than %d bytes", maxSecret)
	}
	return value, nil
}
