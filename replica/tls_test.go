package replica

import (
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/testtls"
)

func TestOverTLSANodeIsUpOnlyIfItsCertificateIsTrusted(t *testing.T) {
	overBoth(t, overTLS)
}

func overTLS(t *testing.T, grpcOnly bool) {
	cert, pool := testtls.NewCertificate(t)
	n := newScripted()
	n.grpcOnly = grpcOnly
	n.tls = &tls.Config{Certificates: []tls.Certificate{cert}}
	n.start()
	changes := make(states, 8)
	c := n.connect(t, func(cfg *Config) { cfg.TLS, cfg.OnChange = &tls.Config{RootCAs: pool}, changes.tell })
	changes.until(t, Up)
	done := newBox(1)
	require.NoError(t, c.Send(read(done)))
	require.NoError(t, (<-done.results).Err)

	n.connect(t, func(cfg *Config) { cfg.TLS, cfg.OnChange = &tls.Config{}, changes.tell })
	require.ErrorContains(t, changes.until(t, Down).Err, "certificate signed by unknown authority")
}
