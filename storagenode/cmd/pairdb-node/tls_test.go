package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/devrev/pairdb/storagepb"
)

// An authority signs certificates for 127.0.0.1.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.issue(t, "ca")
	return a
}

// issue writes name.pem and name-key.pem; the first certificate is the authority's own.
func (a *authority) issue(t *testing.T, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	first := a.cert == nil
	if first {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
		a.cert, a.key = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	require.NoError(t, err)
	if first {
		a.cert, err = x509.ParseCertificate(der)
		require.NoError(t, err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	certFile, keyFile = filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+"-key.pem")
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}), 0o600))
	return certFile, keyFile
}

func TestMutualTLSLetsInOnlyClientsOfTheAuthority(t *testing.T) {
	a := newAuthority(t)
	cert, key := a.issue(t, "node")
	p := start(t, "--memory", "--cluster", "c", "--node", "n1",
		"--tls-cert", cert, "--tls-key", key, "--tls-ca", filepath.Join(a.dir, "ca.pem"))
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	describe := func(certificates ...tls.Certificate) error {
		conn, err := grpc.NewClient(p.ready["address"], grpc.WithTransportCredentials(
			credentials.NewTLS(&tls.Config{RootCAs: roots, Certificates: certificates, MinVersion: tls.VersionTLS13})))
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		_, err = storagepb.NewStorageClient(conn).Describe(t.Context(), &storagepb.DescribeRequest{})
		return err
	}
	load := func(certFile, keyFile string) tls.Certificate {
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		require.NoError(t, err)
		return pair
	}
	require.NoError(t, describe(load(a.issue(t, "client"))))
	require.Error(t, describe(), "without a certificate")
	require.Error(t, describe(load(newAuthority(t).issue(t, "stranger"))), "of another authority")
}
