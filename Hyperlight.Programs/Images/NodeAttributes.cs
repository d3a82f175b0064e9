namespace Hyperlight.Programs.Images;

/// <summary>What a node of an image has besides its content.</summary>
/// <param name="Permissions">The low twelve bits of the mode.</param>
/// <param name="User">The owner.</param>
/// <param name="Group">The group.</param>
/// <param name="Seconds">The modification time, in seconds since 1970.</param>
/// <param name="Nanoseconds">The rest of the modification time.</param>
internal readonly record struct NodeAttributes(int Permissions, uint User, uint Group, long Seconds, uint Nanoseconds)
{
    public const int PermissionBits = 0xFFF;

    /// <summary>Of links, whose permissions Linux does not use.</summary>
    public const int LinkPermissions = 0x1FF;

    private const int DirectoryPermissions = 0x1ED; // 0755
    private const int NanosecondsPerTick = 100;

    /// <summary>Of a directory that only the path of another entry names.</summary>
    public static NodeAttributes ImplicitDirectory { get; } = new(DirectoryPermissions, 0, 0, 0, 0);

    public static NodeAttributes Of(UnixFileMode permissions, DateTimeOffset modified, uint user = 0, uint group = 0)
    {
        long ticks = (modified - DateTimeOffset.UnixEpoch).Ticks;
        long seconds = Math.DivRem(ticks, TimeSpan.TicksPerSecond, out long rest);
        if (rest < 0)
        {
            seconds--;
            rest += TimeSpan.TicksPerSecond;
        }

        return new NodeAttributes((int)permissions & PermissionBits, user, group, seconds, (uint)rest * NanosecondsPerTick);
    }
}
