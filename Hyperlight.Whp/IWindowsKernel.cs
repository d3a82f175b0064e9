namespace Hyperlight.Whp;

/// <summary>
/// Every call about files, sections and views that the driver makes to Windows, and nothing else, so that tests can stand
/// behind it and make calls fail. No call throws: each says whether it succeeded, or returns a Win32 error code, 0 for success.
/// </summary>
internal interface IWindowsKernel
{
    /// <summary>Why Windows cannot be called at all, or <see langword="null"/> on Windows on x64.</summary>
    string? UnsupportedPlatform { get; }

    /// <summary>CreateFileW of an existing file, for reading; others may change, rename and delete it.</summary>
    int OpenFile(string path, out nint file);

    /// <summary>GetFileType: whether the handle is one of a file on a disk, and not of a pipe or a device.</summary>
    bool IsDiskFile(nint file);

    /// <summary>GetFileSizeEx.</summary>
    int GetFileSize(nint file, out long size);

    /// <summary>ReadFile at an offset: how many bytes were read, 0 at the end of the file.</summary>
    int ReadFile(nint file, long offset, Span<byte> buffer, out int read);

    /// <summary>
    /// CreateFileMappingW: a read-only section of exactly a size. Its security descriptor has an empty (NULL) access list,
    /// which lets every process that is given the handle map it: the surrogate that hosts the guest's memory must.
    /// </summary>
    int CreateReadOnlySection(nint file, long size, out nint section);

    /// <summary>MapViewOfFile of a whole section, for reading.</summary>
    int MapReadView(nint section, out nint address);

    /// <summary>UnmapViewOfFile.</summary>
    int UnmapView(nint address);

    /// <summary>CloseHandle.</summary>
    int CloseHandle(nint handle);
}
