package peers

import (
	"errors"
	"fmt"
	"net/url"

	"go.etcd.io/etcd/server/v3/embed"
)

const (
	etcdServer = "etcd"

	// etcdQuota is the largest that etcd recommends. It keeps every version of every key, and at its
	// default of 2 GiB it would refuse writes in a long run.
	etcdQuota = 8 << 30
)

// serveEtcd runs the member args[0], its data in args[1], for other members at the URL args[2], in the cluster
// args[3]. What is set is where it listens, what it says, and its quota; the rest are etcd's defaults.
func serveEtcd(args []string) (addr string, err error) {
	if len(args) != 4 {
		return "", fmt.Errorf("%d arguments, not 4", len(args))
	}
	peer, err := url.Parse(args[2])
	if err != nil {
		return "", err
	}
	c := embed.NewConfig()
	c.Name, c.Dir, c.InitialCluster = args[0], args[1], args[3]
	c.ListenPeerUrls, c.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	anyPort := url.URL{Scheme: "http", Host: "127.0.0.1:0"} // clients are told the true one by us
	c.ListenClientUrls, c.AdvertiseClientUrls = []url.URL{anyPort}, []url.URL{anyPort}
	c.LogLevel, c.LogOutputs = "panic", []string{"stderr"} // it has errors at each start that mean nothing
	c.EnableGRPCGateway = false
	c.QuotaBackendBytes = etcdQuota
	e, err := embed.StartEtcd(c)
	if err != nil {
		return "", err
	}
	go func() { die(etcdServer, <-e.Err()) }()
	select {
	case <-e.Server.ReadyNotify():
		return e.Clients[0].Addr().String(), nil
	case <-e.Server.StopNotify():
		return "", errors.New("it stopped")
	}
}
