package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

func newKeygen() *cobra.Command {
	var f outputFormat
	var path string
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make a pair of keys for encrypted ZeroMQ connections (CURVE)",
		Long: `Make a pair of keys for encrypted ZeroMQ connections (CURVE, ZMTP RFC 26), one for
each end. The end that listens is given its own secret key (curve_secret_key), and
the public keys of those who may connect (curve_client_keys); without these, everybody
may who knows its public key. Who connects is given its own secret key, and the public
key of the end that listens (curve_server_key).

Keep secret keys out of the configuration file: {file: path} or {env: NAME} can stand
for one. With --secret FILE, the secret key is written to a new file that only you can
read, and the public one alone is printed.`,
		Example: "  logbook-tray keygen --secret ~/.config/logbook-tray/tray.key\n  logbook-tray keygen --format json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			public, secret, err := zeromq.NewCurveKeypair()
			if err != nil {
				return err
			}
			keys := map[string]string{"public": public, "secret": secret}
			text := fmt.Sprintf("public: %s\nsecret: %s\n", public, secret)
			if path != "" {
				if err := writeSecret(path, secret); err != nil {
					return err
				}
				delete(keys, "secret")
				text = public + "\n"
			}
			if f.json() {
				return writeJSON(cmd.OutOrStdout(), keys)
			}
			fmt.Fprint(cmd.OutOrStdout(), text)
			return nil
		},
	}
	f.flag(cmd)
	cmd.Flags().StringVar(&path, "secret", "", "write the secret key to a new `FILE` instead of printing it")
	return cmd
}

// writeSecret writes a key to a new file for its owner alone.
func writeSecret(path, secret string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the secret key: %w", err)
	}
	_, err = f.WriteString(secret + "\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the secret key: %w", err)
	}
	return nil
}
