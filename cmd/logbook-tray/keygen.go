package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

func newKeygen() *cobra.Command {
	var f outputFormat
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make a pair of keys for encrypted ZeroMQ connections (CURVE)",
		Long: `Make a pair of keys for encrypted ZeroMQ connections (CURVE, ZMTP RFC 26). The
listening side needs both keys of its own pair, who connects to it needs the public
one of them and a pair of its own. Keep the secret key out of the configuration file:
{file: path} or {env: NAME} can stand for it.`,
		Example: "  logbook-tray keygen\n  logbook-tray keygen --format json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			public, secret, err := zeromq.NewCurveKeypair()
			if err != nil {
				return err
			}
			if f.json() {
				return writeJSON(cmd.OutOrStdout(), map[string]string{"public": public, "secret": secret})
			}
			fmt.Fprintf(cmd.OutOrStdout(), "public: %s\nsecret: %s\n", public, secret)
			return nil
		},
	}
	f.flag(cmd)
	return cmd
}
