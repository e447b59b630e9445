package replica

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// certificate makes a self-signed certificate for 127.0.0.1, and who trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestOverTLSANodeIsUpOnlyIfItsCertificateIsTrusted(t *testing.T) {
	overBoth(t, overTLS)
}

func overTLS(t *testing.T, grpcOnly bool) {
	cert, pool := certificate(t)
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
