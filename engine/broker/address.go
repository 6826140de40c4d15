package broker

import (
	"fmt"
	"net"
)

// resolve refuses an address that stands for every interface. Clients connect once to the address that they were given
// and from then on to the one that the broker advertises, which is the one it listens on: nobody can connect to 0.0.0.0.
func resolve(addr string) (*net.TCPAddr, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, &ConfigError{"Addr", fmt.Errorf("address %q is not HOST:PORT; write it like %s", addr, DefaultAddr)}
	}
	tcp, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, &ConfigError{"Addr", fmt.Errorf("address %q cannot be resolved (%w); write it like %s", addr, err, DefaultAddr)}
	}
	if host == "" || tcp.IP.IsUnspecified() {
		return nil, &ConfigError{"Addr", fmt.Errorf(
			"address %q is refused, because clients are told to connect to it; name one address that they can reach, like %s", addr, DefaultAddr)}
	}
	return tcp, nil
}

func listen(addr *net.TCPAddr) (net.Listener, error) {
	ln, err := net.ListenTCP("tcp", addr)
	if err != nil {
		return nil, &ConfigError{"Addr", fmt.Errorf(
			"cannot listen on %s (%w); stop the program that holds it, or choose another address", addr, cause(err))}
	}
	return ln, nil
}
