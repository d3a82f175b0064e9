using System.Runtime.InteropServices;

namespace Hyperlight.Linux;

/// <summary>The kernel's error codes that this library tells apart, and the words for all of them.</summary>
internal static class Errno
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int ESRCH = 3;
    public const int EINTR = 4;
    public const int EIO = 5;
    public const int ENXIO = 6;
    public const int E2BIG = 7;
    public const int EBADF = 9;
    public const int EAGAIN = 11;
    public const int ENOMEM = 12;
    public const int EACCES = 13;
    public const int EFAULT = 14;
    public const int EBUSY = 16;
    public const int EEXIST = 17;
    public const int ENODEV = 19;
    public const int EISDIR = 21;
    public const int EINVAL = 22;
    public const int ENFILE = 23;
    public const int EMFILE = 24;
    public const int ENOTTY = 25;
    public const int ENOSPC = 28;
    public const int ENOSYS = 38;
    public const int EOVERFLOW = 75;
    public const int EOPNOTSUPP = 95;
    public const int EHWPOISON = 133;

    /// <summary>The code's symbol and the C library's text, such as <c>ENOMEM, Cannot allocate memory</c>.</summary>
    /// <param name="error">A positive errno.</param>
    public static string Describe(int error)
    {
        string text = Marshal.GetPInvokeErrorMessage(error);
        return Name(error) is { } name ? $"{name}, {text}" : text;
    }

    /// <summary>The code's symbol, or <see langword="null"/> for one that is not listed here.</summary>
    /// <param name="error">A positive errno.</param>
    public static string? Name(int error) => error switch
    {
        EPERM => nameof(EPERM),
        ENOENT => nameof(ENOENT),
        ESRCH => nameof(ESRCH),
        EINTR => nameof(EINTR),
        EIO => nameof(EIO),
        ENXIO => nameof(ENXIO),
        E2BIG => nameof(E2BIG),
        EBADF => nameof(EBADF),
        EAGAIN => nameof(EAGAIN),
        ENOMEM => nameof(ENOMEM),
        EACCES => nameof(EACCES),
        EFAULT => nameof(EFAULT),
        EBUSY => nameof(EBUSY),
        EEXIST => nameof(EEXIST),
        ENODEV => nameof(ENODEV),
        EISDIR => nameof(EISDIR),
        EINVAL => nameof(EINVAL),
        ENFILE => nameof(ENFILE),
        EMFILE => nameof(EMFILE),
        ENOTTY => nameof(ENOTTY),
        ENOSPC => nameof(ENOSPC),
        ENOSYS => nameof(ENOSYS),
        EOVERFLOW => nameof(EOVERFLOW),
        EOPNOTSUPP => nameof(EOPNOTSUPP),
        EHWPOISON => nameof(EHWPOISON),
        _ => null,
    };

    /// <summary>The exception for a failed kernel call.</summary>
    /// <param name="driver">The driver's name.</param>
    /// <param name="operation">The call.</param>
    /// <param name="error">A positive errno.</param>
    public static HypervisorException ToException(string driver, string operation, int error) =>
        new(driver, operation, error, Describe(error), Remedy(error));

    /// <summary>What a user can do about a code that means the same whichever call returned it.</summary>
    private static string? Remedy(int error) => error switch
    {
        EMFILE => "The process has too many open files: raise its limit (ulimit -n), or keep fewer sandboxes.",
        ENFILE => "The machine has too many open files: raise fs.file-max, or keep fewer sandboxes.",
        ENOMEM => "Free memory, raise the process's memory limit or vm.max_map_count, or keep fewer sandboxes.",
        _ => null,
    };
}
