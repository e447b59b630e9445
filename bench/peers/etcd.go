package peers

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// etcdPortTries is how often the members are started: the ports that they tell one another are found
// free before they listen there.
const etcdPortTries = 3

func etcdMembers() Peer {
	return Peer{
		Name: "etcd",
		About: "three members with etcd's defaults, clientv3, linearizable Get; " +
			"a Put is ordered among all others, and synced to disk by two members",
		Start: startEtcd,
	}
}

type etcdStore struct{ client *clientv3.Client }

func startEtcd(ctx context.Context, env Env) (Store, func(), error) {
	dir, err := os.MkdirTemp(env.Dir, "etcd-")
	if err != nil {
		return nil, nil, fmt.Errorf("peers: start etcd: %w", err)
	}
	removeAll := func() { _ = os.RemoveAll(dir) } // what stays is only in the way
	addrs, stopServers, err := startMembers(ctx, env, dir)
	if err != nil {
		removeAll()
		return nil, nil, err
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: addrs, Logger: zap.NewNop()})
	if err != nil {
		stopServers()
		removeAll()
		return nil, nil, fmt.Errorf("peers: start etcd: %w", err)
	}
	stop := func() {
		_ = client.Close() // its connections end with it in any case
		stopServers()
		removeAll()
	}
	if _, err := client.Get(ctx, "ready"); err != nil { // there is a leader
		stop()
		return nil, nil, fmt.Errorf("peers: start etcd: %w", err)
	}
	return &etcdStore{client}, stop, nil
}

// startMembers returns where the members listen for clients.
func startMembers(ctx context.Context, env Env, dir string) (addrs []string, stop func(), err error) {
	for try := range etcdPortTries {
		urls, err := freeURLs(servers)
		if err != nil {
			return nil, nil, fmt.Errorf("peers: start etcd: %w", err)
		}
		cluster := make([]string, servers)
		args := make([][]string, servers)
		for i, url := range urls {
			cluster[i] = memberName(i) + "=" + url
		}
		for i, url := range urls {
			args[i] = []string{
				memberName(i), filepath.Join(dir, fmt.Sprintf("%s-%d", memberName(i), try)),
				url, strings.Join(cluster, ","),
			}
		}
		addrs, stop, err = startProcesses(ctx, env, etcdServer, args...)
		if err == nil || try == etcdPortTries-1 || ctx.Err() != nil {
			return addrs, stop, err
		}
	}
	return nil, nil, nil // not reached
}

func memberName(i int) string { return fmt.Sprintf("m%d", i+1) }

// freeURLs returns addresses that nobody listened at a moment ago.
func freeURLs(n int) ([]string, error) {
	var urls []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() //nolint:gocritic // all at the end, so that they differ
		urls = append(urls, "http://"+l.Addr().String())
	}
	return urls, nil
}

func (s *etcdStore) Put(ctx context.Context, key string, value []byte) error {
	_, err := s.client.Put(ctx, key, string(value))
	return err
}

func (s *etcdStore) Get(ctx context.Context, key string) ([]byte, error) {
	r, err := s.client.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	if len(r.Kvs) == 0 {
		return nil, ErrNotFound
	}
	return r.Kvs[0].Value, nil
}
