package limit

import "time"

// Rules are the rates of a provider. A source is an IP address, of IPv6 its /64.
type Rules struct {
	Logins        Rate // starts of a login by source, and by login; a login that succeeds gives its source the attempt back
	Requests      Rate // authorization and logout requests of browsers, by source
	Agents        Rate // calls of card readers' programs, by source
	Machines      Rate // calls of relying parties' servers, by source
	Clients       Rate // the same by client, once it has proved which one it is: nobody uses up another's
	Registrations Rate // calls of the registration endpoint, by source
}

// Default are the rates of a server: narrow for people, who type, and wide for machines.
func Default() Rules {
	return Rules{
		Logins: Rate{10, 10 * time.Minute}, Requests: Rate{300, time.Minute}, Agents: Rate{600, time.Minute},
		Machines: Rate{6000, 10 * time.Second}, Clients: Rate{6000, 10 * time.Second}, Registrations: Rate{60, 10 * time.Minute},
	}
}

// Of divides all rates among replicas; see Rate.Of.
func (r Rules) Of(replicas int) Rules {
	for _, rate := range []*Rate{&r.Logins, &r.Requests, &r.Agents, &r.Machines, &r.Clients, &r.Registrations} {
		*rate = rate.Of(replicas)
	}
	return r
}

// Limits are rules and what they count. The zero Limits limits nothing.
type Limits struct {
	*Table
	Rules
}
