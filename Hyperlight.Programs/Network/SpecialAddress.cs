using System.Net;
using System.Net.Sockets;

namespace Hyperlight.Programs.Network;

/// <summary>Addresses that a name must not lead to: private, of the host itself, of the link, shared, of groups, of the control of a cloud, or reserved.</summary>
internal static class SpecialAddress
{
    private static readonly IPNetwork[] Networks =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "168.63.129.16/32", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        }.Select(static network => IPNetwork.Parse(network)),
    ];

    // Of IPv6, only what is assigned as global unicast can be reached; in it are these. 6to4 and Teredo contain addresses of IPv4.
    private static readonly IPNetwork Global = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork[] NotGlobal =
        [.. new[] { "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20" }.Select(static network => IPNetwork.Parse(network))];

    /// <summary>Whether an address is special.</summary>
    public static bool Is(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return Is(address.MapToIPv4());
        }

        return address.AddressFamily switch
        {
            AddressFamily.InterNetwork => Array.Exists(Networks, network => network.Contains(address)),
            AddressFamily.InterNetworkV6 => !Global.Contains(address) || Array.Exists(NotGlobal, network => network.Contains(address)),
            _ => true,
        };
    }
}
