package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/devrev/pairdb/storagenode"
	"github.com/devrev/pairdb/vclock"
)

// options turns the settings into what the library takes. The function returned
// closes the files that they opened.
func (s *settings) options(log *slog.Logger) ([]storagenode.Option, func(), error) {
	list := []storagenode.Option{
		storagenode.WithLogger(log),
		storagenode.CacheSize(int64(s.cacheMiB) << 20),
		storagenode.Reserve(uint64(s.reserveMiB) << 20),
		storagenode.WithLimits(storagenode.Limits{MaxValueBytes: s.maxValue, MaxSiblings: s.maxSiblings, Skew: s.skew, Window: s.window, Retention: s.retention}),
	}
	if s.memory {
		list = append(list, storagenode.Memory())
	}
	if s.noSync {
		list = append(list, storagenode.NoSync())
	}
	if s.cert != "" {
		config, err := s.tls()
		if err != nil {
			return nil, nil, err
		}
		list = append(list, storagenode.WithTLS(config))
	}
	if s.audit == "" {
		return list, func() {}, nil
	}
	file, err := os.OpenFile(s.audit, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("--audit: %w; name a file that can be written", err)
	}
	a := &audit{file: file, log: log}
	return append(list, storagenode.WithAudit(a.write)), func() { _ = file.Close() }, nil
}

func (s *settings) tls() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert and --tls-key: %w; name a certificate and its key in PEM", err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13}
	if s.ca == "" {
		return config, nil
	}
	text, err := os.ReadFile(s.ca)
	if err != nil {
		return nil, fmt.Errorf("--tls-ca: %w; name a file of certificates in PEM", err)
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(text) {
		return nil, errors.New("--tls-ca: no certificate in " + s.ca + "; name a file of certificates in PEM")
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	return config, nil
}

// An audit appends a line for each write, by one system call, so that a killed
// process leaves whole lines. A line comes before the write's sync and is not
// synced itself: after a crash of the machine the last lines may lack, or stand for
// writes that are not there and that come again when they are repeated.
type audit struct {
	log  *slog.Logger
	mu   sync.Mutex // guards file, so that lines do not mix
	file *os.File
}

// auditLine is one first application of a write. Actor and stamp are strings,
// since they do not fit the numbers of many JSON readers.
type auditLine struct {
	TimeMs int64  `json:"time_ms"`
	Tenant string `json:"tenant"`
	Key    []byte `json:"key"` // base64
	Actor  uint64 `json:"actor,string"`
	Stamp  uint64 `json:"stamp,string"`
}

func (a *audit) write(tenant string, key []byte, dot vclock.Dot) {
	line, err := json.Marshal(auditLine{time.Now().UnixMilli(), tenant, key, uint64(dot.Actor), uint64(dot.Stamp)})
	if err == nil {
		a.mu.Lock()
		_, err = a.file.Write(append(line, '\n'))
		a.mu.Unlock()
	}
	if err != nil {
		a.log.Error("the audit lacks a line", "error", err)
	}
}
