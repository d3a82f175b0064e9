using Hyperlight.Host.Files;

namespace Hyperlight.Programs.Directories;

/// <summary>A directory that is closed after its use, unless it is one that stays open for the run.</summary>
internal readonly struct OpenedDirectory(LinuxDirectory directory, bool isOwned) : IDisposable
{
    public LinuxDirectory Directory => directory;

    public void Dispose()
    {
        if (isOwned)
        {
            directory.Dispose();
        }
    }
}
