// Package pcsctest runs a pcscd of its own with virtual readers, so that tests talk to the real smart card service without
// touching the machine's. It owns the process, its socket and its readers' ports.
// It refuses to know what the cards say (authn/cardtest) and what is asked of them.
// It is a stand-in for a desk with card readers, on Linux: cmd/tegata-agent never links it.
//
// pcscd listens in /run/pcscd and nowhere else. It is therefore started in a mount namespace in which /run is a folder of
// the test; clients find the socket by PCSCLITE_CSOCK_NAME. Their library reads that name once in a process: hence one
// service at a time per test binary, always in the same place, which may be stopped, killed and started again.
//
//	desk := pcsctest.Start(t, 2)                // two empty readers
//	card := desk.Insert(0, virtual, faults)     // into the first
//	card.Pull()
//	desk.Kill(); desk.Restart()                 // as after a crash
//	exec.Cmd{Env: desk.Env()}                   // for opensc-tool and the agent
package pcsctest
